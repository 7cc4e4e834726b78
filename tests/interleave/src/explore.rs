//! Exploring a model, and what is made of the execution that fails.

use std::env;
use std::fs;
use std::io;
use std::panic::{self, AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Once};
use std::thread;

use crate::environment::check_environment;
use crate::failure::{Failure, Kind};
use crate::recorder::{self, Panic, Recorder};
use crate::replay;

/// The environment variable that names the file of an execution to be run again.
const REPLAY: &str = "INTERLEAVE_REPLAY";

/// A model that is about to be explored.
#[derive(Clone, Debug)]
pub struct Model {
    name: String,
    bound: Option<usize>,
    max_branches: usize,
    record: bool,
    folder: Option<PathBuf>,
    command: Option<String>,
}

/// A complete exploration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Explored {
    /// How many executions there were.
    pub executions: usize,
}

impl Model {
    /// A model with this name, which its picture has as well. Every interleaving is explored.
    pub fn new(name: impl Into<String>) -> Self {
        Model {
            name: name.into(),
            bound: None,
            max_branches: 10_000,
            record: true,
            folder: None,
            command: None,
        }
    }

    /// At most so often a thread is interrupted where it could have gone on; `None` is without bound. Real bugs
    /// need two or three such switches; each more multiplies the executions.
    pub fn preemption_bound(self, bound: impl Into<Option<usize>>) -> Self {
        Model { bound: bound.into(), ..self }
    }

    /// Limits the points of one execution at which threads may switch. An execution with more fails: it goes round in
    /// circles. The default is 10,000.
    pub fn max_branches(self, branches: usize) -> Self {
        Model { max_branches: branches, ..self }
    }

    /// Whether steps are recorded. The number of executions is the same with and without; without, a failure has no
    /// picture.
    pub fn recording(self, record: bool) -> Self {
        Model { record, ..self }
    }

    /// Where [`check`](Self::check) puts a failure's picture and replay file. Otherwise that is `pictures` in the
    /// target directory.
    pub fn pictures_in(self, folder: impl Into<PathBuf>) -> Self {
        Model { folder: Some(folder.into()), ..self }
    }

    /// The command that runs this model, for the note on how to replay it. Otherwise it is this very process's.
    pub fn replayed_by(self, command: impl Into<String>) -> Self {
        Model { command: Some(command.into()), ..self }
    }

    /// Explores `body`, which runs once for each interleaving and so makes all that it uses anew. For a test that
    /// wants a failure: nothing is printed and no file is written.
    ///
    /// # Errors
    /// The first execution that failed: by a panic, a deadlock, a data race, a leak or by not ending.
    ///
    /// # Panics
    /// If one of loom's environment variables is invalid: [`check_environment`](crate::check_environment).
    ///
    /// ```
    /// use interleave::sync::{Arc, atomic::{AtomicUsize, Ordering::Relaxed}};
    ///
    /// let failure = interleave::Model::new("lost update").explore(|| {
    ///     let count = Arc::new(AtomicUsize::new(0));
    ///     let theirs = count.clone();
    ///     let adding = interleave::thread::spawn(move || theirs.store(theirs.load(Relaxed) + 1, Relaxed));
    ///     count.store(count.load(Relaxed) + 1, Relaxed);
    ///     adding.join().unwrap();
    ///     assert_eq!(count.load(Relaxed), 2);
    /// });
    /// assert!(failure.unwrap_err().text().contains("count.load(Relaxed) -> 0"));
    /// ```
    pub fn explore(self, body: impl Fn() + Send + Sync + 'static) -> Result<Explored, Failure> {
        self.run(Arc::new(body), None)
    }

    /// Explores like [`explore`](Self::explore), for a test in which no execution may fail.
    ///
    /// # Panics
    /// If an execution fails, after reporting it like [`explore_and_tell`](Self::explore_and_tell).
    #[track_caller]
    pub fn check(self, body: impl Fn() + Send + Sync + 'static) -> Explored {
        match self.explore_and_tell(body) {
            Ok(explored) => explored,
            Err(failure) => panic!("{failure}"),
        }
    }

    /// Explores like [`explore`](Self::explore), and reports a failure: it prints the swim lanes to standard error,
    /// and writes the picture and a file from which the same execution can be run again, with the command for that.
    ///
    /// # Errors
    /// The first execution that failed.
    ///
    /// # Panics
    /// If `INTERLEAVE_REPLAY` names this model's file, and it is not there, or not as it was written.
    pub fn explore_and_tell(self, body: impl Fn() + Send + Sync + 'static) -> Result<Explored, Failure> {
        let body: Body = Arc::new(body);
        let replay = self.file_to_replay();
        let result = self.clone().run(body.clone(), replay.as_deref());
        if let Some(failure) = result.as_ref().err().filter(|failure| !failure.told) {
            self.tell(failure, &body);
        }
        result
    }

    fn run(self, body: Body, replay: Option<&Path>) -> Result<Explored, Failure> {
        if let Err(invalid) = check_environment() {
            panic!("{invalid}");
        }
        listen_to_panics();
        let mut builder = self.builder();
        let recorder = Recorder { on: self.record, ..Recorder::default() };
        let before = recorder::replace(Some(recorder));
        if let Some(file) = replay {
            builder.checkpoint_file = Some(file.into());
        }
        let rest = EMERGENCY.replace(Some((self.clone(), body.clone(), replay.is_some())));
        let result = catch_unwind(AssertUnwindSafe(|| {
            builder.check(execution(body.clone()));
            if replay.is_none() && recorder::with(|recorder| recorder.is_to_be_repeated()) == Some(true) {
                // Once more, and no further.
                (builder.checkpoint_interval, builder.max_permutations) = (1, Some(2));
                builder.check(execution(body));
            }
        }));
        // What the model leaves behind is dropped now, and loom must not hear of it.
        recorder::with(|recorder| recorder.stamp = 0);
        EMERGENCY.set(rest);
        let recorder = recorder::replace(before).unwrap_or_default();
        match result {
            Ok(()) => Ok(Explored { executions: recorder.explored() }),
            Err(_) => Err(Failure::new(&self.name, recorder, replay.is_some())),
        }
    }

    fn builder(&self) -> loom::model::Builder {
        let mut builder = loom::model::Builder::new();
        // All of these are set: loom has taken them from the environment, and would leave executions out without a word.
        builder.preemption_bound = self.bound;
        builder.max_branches = self.max_branches;
        builder.max_permutations = None;
        builder.max_duration = None;
        builder.checkpoint_file = None;
        builder.checkpoint_interval = usize::MAX;
        builder
    }

    /// Prints and writes all that there is to know of a failure.
    fn tell(&self, failure: &Failure, body: &Body) {
        eprintln!("\n{}", failure.coloured_text());
        let folder = self.folder();
        match failure.write_to(&folder) {
            Ok(pictures) => eprintln!("picture: {}", pictures.display()),
            Err(error) => eprintln!("no picture: {}: {error}", folder.display()),
        }
        // What differs from one execution to the next cannot be had again.
        if failure.replayed || failure.kind == Kind::Outlives {
            return;
        }
        let file = folder.join(format!("{}.json", crate::failure::file_name(&self.name)));
        if let Err(error) = self.write_checkpoint(failure.execution, &file, body) {
            eprintln!("no replay file: {}: {error}", file.display());
            return;
        }
        let command = self.command.clone().unwrap_or_else(this_command);
        eprintln!("this execution alone, again:\n    {REPLAY}={} {command}", file.display());
    }

    fn folder(&self) -> PathBuf {
        self.folder.clone().unwrap_or_else(|| target_directory().join("pictures"))
    }

    /// Goes the same way once more, up to the execution with this number, and there writes loom's checkpoint. To write
    /// one before every execution would cost more than the executions.
    fn write_checkpoint(&self, number: usize, file: &Path, body: &Body) -> io::Result<()> {
        fs::create_dir_all(self.folder())?;
        let mut builder = self.builder();
        builder.checkpoint_file = Some(file.into());
        builder.checkpoint_interval = number;
        // Not that execution itself: it may be one that aborts the process.
        builder.max_permutations = Some(number);
        if file.exists() {
            fs::remove_file(file)?;
        }
        let body = body.clone();
        // On a thread of its own: this one may be in the midst of a panic.
        let walk = move || {
            recorder::replace(Some(Recorder::default()));
            let _ = catch_unwind(AssertUnwindSafe(|| builder.check(execution(body))));
        };
        let _ = thread::Builder::new().name("replay file".into()).spawn(walk)?.join();
        let sealed = replay::seal(&fs::read_to_string(file)?, &self.described());
        fs::write(file, sealed.ok_or(io::ErrorKind::InvalidData)?)
    }

    /// All that changes how this model is explored, but for the body.
    fn described(&self) -> String {
        format!("{}, at most {:?} preemptions and {} branches", self.name, self.bound, self.max_branches)
    }

    fn file_to_replay(&self) -> Option<PathBuf> {
        let file = PathBuf::from(env::var_os(REPLAY)?);
        // One variable for a process that may explore many models.
        if file.file_stem()? != crate::failure::file_name(&self.name).as_str() {
            return None;
        }
        let text = fs::read(&file).map_err(|error| error.to_string());
        let checked =
            text.and_then(|text| Ok(replay::check(&String::from_utf8_lossy(&text), &self.described())?));
        if let Err(why) = checked {
            panic!("{REPLAY} names {}: {why}", file.display());
        }
        Some(file)
    }
}

type Body = Arc<dyn Fn() + Send + Sync>;

fn execution(body: Body) -> impl Fn() + Send + Sync + 'static {
    move || {
        recorder::execution();
        body();
        recorder::execution_over();
    }
}

/// The command that started this process, as far as it matters.
fn this_command() -> String {
    let mut words: Vec<String> = env::args().collect();
    if let Some(program) = env::current_exe().ok().and_then(|path| path.to_str().map(str::to_owned)) {
        words[0] = program;
    }
    // The test runner names its threads after the tests.
    if let Some(test) = thread::current().name().filter(|name| *name != "main") {
        let all = words.iter().any(|word| word == "--ignored" || word == "--include-ignored");
        words.truncate(1);
        words.extend([test.into(), "--exact".into(), "--nocapture".into()]);
        words.extend(all.then(|| "--include-ignored".into()));
    }
    words.join(" ")
}

/// The target directory in which this program was built: `TARGET/PROFILE/deps/PROGRAM`, or one folder less.
fn target_directory() -> PathBuf {
    let program = env::current_exe().unwrap_or_default();
    let marked = program.ancestors().find(|folder| folder.join("CACHEDIR.TAG").exists());
    marked.or(program.ancestors().nth(3)).map_or_else(env::temp_dir, Into::into)
}

thread_local! {
    /// What is explored on this thread, and whether it is a replay. It is needed if a panic is about to abort the
    /// process: then no later code can report the failure.
    static EMERGENCY: std::cell::RefCell<Option<(Model, Body, bool)>> = const { std::cell::RefCell::new(None) };
}

/// Notes the panics of a model. The first one is what went wrong. While it unwinds, destructors may panic again,
/// and then Rust aborts the process: so at the second one the hook reports everything at once.
fn listen_to_panics() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |info| match recorder::panicked(Panic::of(info)) {
            None => before(info),
            Some(true) => {}
            Some(false) => tell_before_the_abort(),
        }));
    });
}

fn tell_before_the_abort() {
    let Some((model, body, replayed)) = EMERGENCY.take() else { return };
    let copy = recorder::with(|recorder| Recorder {
        recording: recorder.recording.clone(),
        executions: recorder.executions,
        ..Recorder::default()
    });
    if let Some(copy) = copy {
        let failure = Failure::new(&model.name, copy, replayed);
        model.tell(&failure, &body);
        recorder::with(|recorder| recorder.told = true);
    }
}
