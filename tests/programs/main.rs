//! The programs of `examples/`, run as a user runs them, and their files, of which these tests use a part. Beside them are
//! the other programs that users write or read: the README's, and wrong ones, of which the compiler complains.

#[path = "../../examples/compare/cells.rs"]
#[allow(dead_code)]
mod cells;
#[path = "../../examples/chat/mod.rs"]
#[allow(dead_code)]
mod chat;
#[path = "../../examples/common/mod.rs"]
mod common;
#[path = "../../examples/echo/mod.rs"]
#[allow(dead_code)]
mod echo;
#[path = "../../examples/compare/machine.rs"]
#[allow(dead_code)]
mod machine;
#[path = "../../examples/compare/plot.rs"]
#[allow(dead_code)]
mod plot;
#[path = "../../examples/rates/mod.rs"]
#[allow(dead_code)]
mod rates;
#[path = "../../examples/simulate/scenarios/mod.rs"]
#[allow(dead_code)]
mod scenarios;
#[path = "../../examples/compare/syscalls.rs"]
#[allow(dead_code)]
mod syscalls;
#[path = "../../examples/compare/table.rs"]
#[allow(dead_code)]
mod table;
#[path = "../../examples/compare/verdict.rs"]
#[allow(dead_code)]
mod verdict;
#[path = "../../examples/webapp/mod.rs"]
#[allow(dead_code)]
mod webapp;

#[rustfmt::skip] // narrower: see the rustfmt.toml there
#[path = "../../examples/steps/help/mod.rs"]
mod help;
#[rustfmt::skip] // narrower: see the rustfmt.toml there
#[path = "../../examples/steps/schedules.rs"]
mod schedules;
#[rustfmt::skip] // narrower: see the rustfmt.toml there
#[path = "../../examples/steps/tasks.rs"]
mod tasks;

#[cfg(unix)]
#[path = "../process/alone.rs"]
mod alone;
#[cfg(unix)]
#[path = "../process/exhaust.rs"]
mod exhaust;

mod example_programs;
mod json_trace;

#[cfg(unix)]
mod accepting;
mod command_lines;
mod compare_command;
mod compare_figures;
#[cfg(unix)]
mod messages;
mod readme;
mod sim_workloads;
mod simulate_command;
mod steps;
mod workloads_compute;
mod workloads_network;
mod workloads_trace;
