//! What each task should be: a plain state machine that knows nothing of how the runtime works.

use std::collections::VecDeque;

/// One step of a sequence. `Target` says of which task.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Op {
    Spawn,
    /// Polls the tasks that are runnable now, each once or until none is runnable.
    Turn,
    Wake(Target),
    Abort(Target),
    DropHandle(Target),
    /// Polls the handle by hand.
    Join(Target),
    /// Says what the task will do in its next poll.
    Will(Target, Deed),
    /// Says that the task's future panics when it is dropped.
    DropPanics(Target),
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Target {
    Newest,
    /// The one spawned before the newest.
    Older,
}

/// What the step `Turn` is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Turns {
    Once,
    UntilIdle,
}

/// What a task does in a poll. All but `Join` and `Wait` are done once.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Deed {
    #[default]
    Wait,
    WakeSelf,
    /// Wakes the task spawned before it.
    WakeOlder,
    AbortSelf,
    /// Awaits the handle of the task spawned before it, and finishes when that task has ended.
    JoinOlder,
    Spawn,
    Finish,
    Panic,
}

/// How a task ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum End {
    Finished,
    Panicked,
    Cancelled,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Handle {
    Held,
    Dropped,
    Joined,
}

#[derive(Clone, Debug)]
pub struct Task {
    pub deed: Deed,
    pub drop_panics: bool,
    pub polled: bool,
    pub handle: Handle,
    pub end: Option<End>,
    queued: bool,
    abort_requested: bool,
    /// The task to wake when this one ends.
    joiner: Option<usize>,
}

#[derive(Clone, Default, Debug)]
pub struct Model {
    pub tasks: Vec<Task>,
    queue: VecDeque<usize>,
    /// Every poll so far, in order.
    pub polls: Vec<usize>,
    max_tasks: usize,
}

impl Model {
    /// No more than `max_tasks` are spawned by a step (a task may still spawn others).
    pub fn new(max_tasks: usize) -> Model {
        Model { max_tasks, ..Model::default() }
    }

    pub fn index(&self, target: Target) -> Option<usize> {
        let back = match target {
            Target::Newest => 1,
            Target::Older => 2,
        };
        self.tasks.len().checked_sub(back)
    }

    /// Whether the step is worth a sequence: one that does nothing by its own definition is not.
    /// Waking or aborting a task that has ended does nothing by the runtime's promise, so it *is* worth one.
    pub fn allows(&self, op: Op) -> bool {
        let task = |target| self.index(target).map(|index| (index, &self.tasks[index]));
        match op {
            Op::Spawn => self.tasks.len() < self.max_tasks,
            Op::Turn => !self.tasks.is_empty(),
            Op::Wake(target) => task(target).is_some_and(|(_, task)| task.polled),
            Op::Abort(target) | Op::DropHandle(target) | Op::Join(target) => {
                task(target).is_some_and(|(_, task)| task.handle == Handle::Held)
            }
            Op::Will(target, deed) => task(target).is_some_and(|(index, task)| {
                let possible = match deed {
                    Deed::WakeOlder => index > 0,
                    Deed::JoinOlder => index > 0 && self.tasks[index - 1].handle == Handle::Held,
                    Deed::Spawn => self.tasks.len() < self.max_tasks,
                    Deed::AbortSelf => task.handle == Handle::Held,
                    _ => true,
                };
                possible && task.end.is_none() && task.deed == Deed::Wait
            }),
            Op::DropPanics(target) => {
                task(target).is_some_and(|(_, task)| task.end.is_none() && !task.drop_panics)
            }
        }
    }

    /// Does a step. For `Join`, returns what the handle should report.
    pub fn apply(&mut self, op: Op, turns: Turns) -> Option<End> {
        match op {
            Op::Spawn => self.spawn(),
            Op::Turn => match turns {
                Turns::Once => self.turn(),
                Turns::UntilIdle => self.settle(),
            },
            Op::Wake(target) => self.wake(self.known(target)),
            Op::Abort(target) => self.abort(self.known(target)),
            Op::DropHandle(target) => {
                let task = self.known_mut(target);
                (task.handle, task.joiner) = (Handle::Dropped, None);
            }
            Op::Join(target) => {
                let task = self.known_mut(target);
                if turns == Turns::Once {
                    // The hand has a waker of its own, and the last one given is the one that counts.
                    task.joiner = None;
                }
                if task.end.is_some() {
                    task.handle = Handle::Joined;
                }
                return task.end;
            }
            Op::Will(target, deed) => self.known_mut(target).deed = deed,
            Op::DropPanics(target) => self.known_mut(target).drop_panics = true,
        }
        None
    }

    /// Polls those that are runnable now, but not those that become so meanwhile.
    fn turn(&mut self) {
        for _ in 0..self.queue.len() {
            self.poll_next();
        }
    }

    /// Polls until nothing is runnable.
    pub fn settle(&mut self) {
        while !self.queue.is_empty() {
            self.poll_next();
        }
    }

    fn poll_next(&mut self) {
        let Some(index) = self.queue.pop_front() else { return };
        self.tasks[index].queued = false;
        if self.tasks[index].abort_requested {
            return self.end(index, End::Cancelled);
        }
        self.polls.push(index);
        self.tasks[index].polled = true;
        match std::mem::take(&mut self.tasks[index].deed) {
            Deed::Wait => {}
            Deed::WakeSelf => self.wake(index),
            Deed::WakeOlder => {
                if self.tasks[index - 1].polled {
                    self.wake(index - 1);
                }
            }
            Deed::AbortSelf => {
                if self.tasks[index].handle == Handle::Held {
                    self.tasks[index].abort_requested = true;
                    self.end(index, End::Cancelled);
                }
            }
            Deed::JoinOlder => {
                let older = &mut self.tasks[index - 1];
                if older.handle == Handle::Held {
                    if older.end.is_some() {
                        older.handle = Handle::Joined;
                        self.end(index, End::Finished);
                    } else {
                        older.joiner = Some(index);
                        self.tasks[index].deed = Deed::JoinOlder;
                    }
                }
            }
            Deed::Spawn => self.spawn(),
            Deed::Finish => self.end(index, End::Finished),
            Deed::Panic => self.end(index, End::Panicked),
        }
    }

    fn spawn(&mut self) {
        self.queue.push_back(self.tasks.len());
        self.tasks.push(Task {
            deed: Deed::Wait,
            drop_panics: false,
            polled: false,
            handle: Handle::Held,
            end: None,
            queued: true,
            abort_requested: false,
            joiner: None,
        });
    }

    fn wake(&mut self, index: usize) {
        let task = &mut self.tasks[index];
        if task.end.is_none() && !task.queued {
            task.queued = true;
            self.queue.push_back(index);
        }
    }

    /// Has every task that is left finish at its next poll, and wakes it.
    pub fn release(&mut self) {
        for index in 0..self.tasks.len() {
            self.tasks[index].deed = Deed::Finish;
            self.wake(index);
        }
    }

    fn abort(&mut self, index: usize) {
        let task = &mut self.tasks[index];
        if task.end.is_none() && !std::mem::replace(&mut task.abort_requested, true) {
            self.wake(index);
        }
    }

    fn end(&mut self, index: usize, end: End) {
        let task = &mut self.tasks[index];
        task.end = Some(if task.drop_panics { End::Panicked } else { end });
        if let Some(joiner) = task.joiner.take() {
            self.wake(joiner);
        }
    }

    fn known(&self, target: Target) -> usize {
        self.index(target).expect("the step is allowed")
    }

    fn known_mut(&mut self, target: Target) -> &mut Task {
        let index = self.known(target);
        &mut self.tasks[index]
    }
}
