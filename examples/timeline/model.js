// The trace as a model: tasks with their polls, and the state before and after any event. Knows no page.
"use strict";

const TIMELINE_VERSION = 1;
/** A copy of the state is kept every so many events, so that any moment is near one. */
const CHECKPOINT = 512;

/** Parses lines of JSON. Throws an Error that says what is wrong, and in which line. */
function parseTrace(text) {
  const lines = text.split("\n").filter((line) => line.trim() !== "");
  const read = (line, number) => {
    try {
      return JSON.parse(line);
    } catch (error) {
      throw new Error(`line ${number + 1} is no JSON: ${error.message}`);
    }
  };
  if (lines.length === 0) throw new Error("the trace is empty");
  const header = read(lines[0], 0);
  if (header.cotask_trace !== TIMELINE_VERSION) {
    throw new Error(`this viewer reads traces of version ${TIMELINE_VERSION}, not ${header.cotask_trace}`);
  }
  return new Model(header, lines.slice(1).map((line, i) => read(line, i + 1)));
}

class Model {
  constructor(header, events) {
    this.header = header;
    this.events = events;
    this.start = events.length ? events[0].at : 0;
    this.end = events.length ? events[events.length - 1].at : 0;
    this.tasks = new Map();
    this.names = new Map();
    this.sleeps = [];
    this.wakes = [];
    this.decisions = [];
    this.checkpoints = [];
    this.recent = new Map();
    this.read();
  }

  task(id) {
    let task = this.tasks.get(id);
    if (!task) {
      task = { id, name: "", source: "", lane: this.tasks.size, polls: [], waits: [], spawned: -1, over: -1 };
      this.tasks.set(id, task);
    }
    return task;
  }

  read() {
    const state = new State();
    const runnable = new Map();
    let poll = null;
    let sleep = null;
    this.events.forEach((event, i) => {
      if (i % CHECKPOINT === 0) this.checkpoints.push(state.copy());
      const task = event.task === undefined ? null : this.task(event.task);
      switch (event.event) {
        case "spawned":
          Object.assign(task, { name: event.name ?? "", source: event.source, spawned: i, over: -1 });
          break;
        case "named":
          this.names.set(event.resource, event.name);
          break;
        case "scheduled": {
          const wake = { task, at: event.at, index: i, by: event.by, poll: null };
          this.wakes.push(wake);
          runnable.set(task.id, wake);
          break;
        }
        case "poll_began": {
          this.decisions.push(i);
          const wake = runnable.get(task.id) ?? null;
          runnable.delete(task.id);
          poll = { task, from: event.at, to: this.end, begin: i, end: this.events.length - 1, outcome: "", wake };
          if (wake) wake.poll = poll;
          task.polls.push(poll);
          break;
        }
        case "poll_ended":
          if (poll) Object.assign(poll, { to: event.at, end: i, outcome: event.outcome });
          if (!["pending", "budget"].includes(event.outcome)) task.over = i;
          poll = null;
          break;
        case "dropped":
          task.over = i;
          runnable.delete(task.id);
          break;
        case "parked":
          this.decisions.push(i);
          sleep = { from: event.at, to: this.end, begin: i };
          this.sleeps.push(sleep);
          break;
        case "unparked":
          if (sleep) sleep.to = event.at;
          sleep = null;
          break;
        case "waits":
          if (event.by.startsWith("task ")) this.task(event.by.slice(5)).waits.push(i);
          break;
      }
      state.apply(event);
    });
    this.lanes = [...this.tasks.values()];
  }

  /** What holds when event `i` has just happened. Not to be changed: the last few are kept. */
  stateAt(i) {
    if (this.walked?.at === i) return this.walked.state;
    if (!this.recent.has(i)) {
      if (this.recent.size >= 8) this.recent.delete(this.recent.keys().next().value);
      this.recent.set(i, this.replay(i));
    }
    return this.recent.get(i);
  }

  /** Calls `visit` with the number of each event in turn; its state is at hand meanwhile, and no copy of it is made. */
  walk(visit) {
    const state = new State();
    this.events.forEach((event, at) => {
      state.apply(event);
      this.walked = { at, state };
      visit(at);
    });
    this.walked = null;
  }

  replay(i) {
    const last = this.recent.get(i - 1)?.copy();
    if (last) {
      last.apply(this.events[i]);
      return last;
    }
    const from = Math.floor((i + 1) / CHECKPOINT);
    const near = Math.min(from, this.checkpoints.length - 1);
    const state = this.checkpoints[near].copy();
    for (let k = near * CHECKPOINT; k <= i; k++) state.apply(this.events[k]);
    return state;
  }

  /** The number of the last event at or before a time. */
  indexAt(time) {
    let [low, high] = [0, this.events.length - 1];
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.events[middle].at <= time) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  /** The task that an event is about. */
  taskOf(i) {
    const event = this.events[i];
    if (event.task !== undefined) return this.tasks.get(event.task);
    return event.by?.startsWith("task ") ? this.tasks.get(event.by.slice(5)) : undefined;
  }

  /** The wake of the poll that event `i` lies in, or of which it is the wake. */
  wakeOf(i) {
    const event = this.events[i];
    if (event.event === "scheduled") return this.wakes[lowerBound(this.wakes, (wake) => wake.index, i)];
    const poll = this.pollOf(i);
    return poll?.wake ?? null;
  }

  /** The poll that event `i` lies in: of its task, or of another one. */
  pollOf(i, task = this.taskOf(i)) {
    const at = task ? lowerBound(task.polls, (poll) => poll.begin, i + 1) - 1 : -1;
    return at >= 0 && task.polls[at].end >= i ? task.polls[at] : null;
  }

  /** The next or last wake of a task, seen from event `i`. */
  wakeFrom(i, task, direction) {
    for (let k = i + direction; k >= 0 && k < this.events.length; k += direction) {
      if (this.events[k].event === "scheduled" && this.events[k].task === task.id) return k;
    }
    return -1;
  }

  label(task) {
    return task.name || `task ${shortId(task.id)}`;
  }
}

/** Who is runnable, who runs, who waits for what. */
class State {
  constructor() {
    this.queue = [];
    this.running = null;
    this.asleep = false;
    this.alive = new Set();
    this.timers = new Map();
    /** For each task the last things it said it waits for: the numbers of resources, by task. */
    this.waiting = new Map();
    /** The timers by what set them; made when it is asked for. */
    this.byTask = null;
  }

  copy() {
    const copy = new State();
    copy.queue = this.queue.slice();
    copy.running = this.running;
    copy.asleep = this.asleep;
    copy.alive = new Set(this.alive);
    copy.timers = new Map(this.timers);
    copy.waiting = new Map(this.waiting);
    return copy;
  }

  apply(event) {
    switch (event.event) {
      case "spawned":
        this.alive.add(event.task);
        break;
      case "scheduled":
        this.queue.push(event.task);
        break;
      case "poll_began": {
        const place = this.queue.indexOf(event.task);
        if (place >= 0) this.queue.splice(place, 1);
        this.running = event.task;
        this.waiting.delete(event.task);
        break;
      }
      case "poll_ended":
        this.running = null;
        if (!["pending", "budget"].includes(event.outcome)) {
          this.alive.delete(event.task);
          this.waiting.delete(event.task);
          this.queue = this.queue.filter((task) => task !== event.task);
        }
        break;
      case "dropped":
        this.alive.delete(event.task);
        this.waiting.delete(event.task);
        this.queue = this.queue.filter((task) => task !== event.task);
        break;
      case "waits":
        this.wait(event.by, { on: event.on, want: event.want });
        break;
      case "timer_set":
        this.forget(event.timer);
        this.timers.set(event.timer, event);
        this.byTask?.set(event.by, [...(this.byTask.get(event.by) ?? []), event]);
        break;
      case "timer_fired":
      case "timer_cancelled":
        this.forget(event.timer);
        break;
      case "job_queued":
        this.wait(event.by, { on: event.job, want: "result" });
        break;
      case "parked":
        this.asleep = true;
        break;
      case "unparked":
        this.asleep = false;
        break;
    }
  }

  wait(by, what) {
    if (!by.startsWith("task ")) return;
    const task = by.slice(5);
    this.waiting.set(task, [...(this.waiting.get(task) ?? []).filter((old) => old.on !== what.on), what]);
  }

  forget(timer) {
    const old = this.timers.get(timer);
    if (!old) return;
    this.timers.delete(timer);
    this.byTask?.set(old.by, this.byTask.get(old.by).filter((other) => other !== old));
  }

  /** The timers that a task has set. */
  timersOf(task) {
    this.byTask ??= Map.groupBy(this.timers.values(), (timer) => timer.by);
    return this.byTask.get(`task ${task}`) ?? [];
  }

  /** The tasks that neither run nor are in the queue: the first few, and how many there are. */
  idle(most) {
    const busy = new Set(this.queue).add(this.running);
    const found = [];
    let count = 0;
    for (const task of this.alive) {
      if (busy.has(task)) continue;
      count += 1;
      if (found.length < most) found.push(task);
    }
    return { found, count };
  }
}

/** The first place in a sorted array whose key is not below `wanted`. */
function lowerBound(array, key, wanted) {
  let [low, high] = [0, array.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (key(array[middle]) < wanted) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** `0.17.2` without the runtime's number, and without a generation of 0. */
function shortId(id) {
  const parts = id.split(".");
  const own = parts.length === 3 ? parts.slice(1) : parts;
  return own[1] === "0" ? own[0] : `${own[0]} (life ${Number(own[1]) + 1})`;
}

/** Nanoseconds as a person says them. */
function duration(nanos, digits = 3) {
  const steps = [[1e9, "s"], [1e6, "ms"], [1e3, "µs"]];
  const [unit, name] = steps.find(([unit]) => nanos >= unit) ?? [1, "ns"];
  const value = nanos / unit;
  return `${value >= 10 ** (digits - 1) || Number.isInteger(value) ? value.toFixed(0) : value.toPrecision(digits)} ${name}`;
}
