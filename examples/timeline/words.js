// Each event as a sentence: what happened, and why. All reasons come from the trace.
"use strict";

const OUTCOMES = {
  pending: "cannot go on yet",
  budget: "has used up its budget and gives way to the others",
  finished: "is finished",
  panicked: "panicked, and has ended",
  aborted: "was aborted: its future is dropped",
};

class Words {
  constructor(model) {
    this.model = model;
  }

  task(id) {
    const task = this.model.tasks.get(id);
    return task ? this.model.label(task) : `task ${shortId(id)}`;
  }

  /** A resource: `socket 3.0` as "socket 3 (door)". */
  thing(resource) {
    const [kind, id] = resource.split(" ");
    if (kind === "task") return this.task(id);
    const name = this.model.names.get(resource);
    return `${kind} ${shortId(id)}${name ? ` (${name})` : ""}`;
  }

  actor(by) {
    const words = { reactor: "the reactor", timer: "a timer", thread: "another thread", outside: "the main program" };
    return words[by] ?? this.task(by.replace("task ", ""));
  }

  /** The names of the first few of so many tasks, and how many more there are. */
  list(first, count) {
    const shown = first.slice(0, 4).map((task) => this.task(task));
    if (count > 4) shown.push(`${count - 4} more`);
    return shown.length > 1 ? `${shown.slice(0, -1).join(", ")} and ${shown.at(-1)}` : (shown[0] ?? "");
  }

  wanted({ on, want }) {
    const thing = this.thing(on);
    return (
      {
        read: `${thing} to have something to read`,
        write: `${thing} to take what it writes`,
        value: `a value in ${thing}`,
        room: `room in ${thing}`,
        end: `${thing} to end`,
        result: `${thing} of the blocking pool`,
      }[want] ?? thing
    );
  }

  /** What a task waits for in a state. */
  waitsFor(state, id) {
    const things = (state.waiting.get(id) ?? []).map((what) => this.wanted(what));
    const timers = state.timersOf(id).map((timer) => `${this.thing(timer.timer)}`);
    const words = [...things, ...timers];
    if (words.length > 4) words.splice(3, words.length, `${words.length - 3} other things`);
    // Any of them will do.
    return words.length ? words.join(", or for ") : "a wake";
  }

  /** Why the wake of event `i` came: from the events just before it. */
  reason(i) {
    const { events } = this.model;
    const { task, by } = events[i];
    for (let k = i - 1; k >= 0 && k > i - 40; k--) {
      const event = events[k];
      if (event.event === "spawned" && event.task === task && k === i - 1) {
        return `${this.actor(event.by)} has just spawned it`;
      }
      if (by === "reactor" && event.event === "socket_ready") {
        const what = [event.readable && "something to read", event.writable && "room to write"].filter(Boolean);
        const closed = event.closed ? ", and its peer has closed" : "";
        return `${this.thing(event.socket)} has ${what.join(" and ") || "an end"}${closed}`;
      }
      if (by === "timer" && event.event === "timer_fired") return `the time of ${this.thing(event.timer)} has come`;
      if (by === "thread" && event.event === "job_done") return `${this.thing(event.job)} of the blocking pool is done`;
      if (by.startsWith("task ") && event.by === by) {
        if (by === `task ${task}` && event.event !== "sent") break;
        if (event.event === "sent") return `${this.actor(by)} sent a value into ${this.thing(event.channel)}`;
        if (event.event === "received") return `${this.actor(by)} made room in ${this.thing(event.channel)}`;
        if (event.event === "abort_requested" && event.task === task) return `${this.actor(by)} asks it to end`;
      }
      if (event.event === "poll_began" || event.event === "poll_ended" || event.event === "unparked") break;
    }
    if (by === `task ${task}`) return "it woke itself: it wants another turn";
    if (by.startsWith("task ")) {
      // The wake itself changes nothing in what its task waits for.
      const awaited = (this.model.stateAt(i).waiting.get(task) ?? []).some(({ on }) => on === by);
      const poll = this.model.pollOf(i, this.model.tasks.get(by.slice(5)));
      if (awaited && poll?.outcome === "finished") return `${this.actor(by)}, which it awaits, is finished`;
      if (awaited && poll) return `${this.actor(by)}, which it awaits, has finished`;
      return `${this.actor(by)} woke it`;
    }
    return `${this.actor(by)} woke it`;
  }

  queue(state, except) {
    // The queue may be long, and a search asks this of every event.
    const first = state.queue.slice(0, 5).filter((task) => task !== except);
    const count = state.queue.length - (state.queue.lastIndexOf(except) >= 0 ? 1 : 0);
    return count > 0 ? ` It waits behind ${this.list(first, count)}.` : " Nothing else is runnable.";
  }

  sentence(i) {
    const event = this.model.events[i];
    const name = event.task === undefined ? "" : this.task(event.task);
    const by = event.by === undefined ? "" : this.actor(event.by);
    switch (event.event) {
      case "spawned":
        return `${by} spawned ${name}, at ${event.source}.`;
      case "scheduled": {
        const state = this.model.stateAt(i);
        const polled = state.running === event.task ? " It will be polled again after this poll." : "";
        return `${name} became runnable, because ${this.reason(i)}.${polled || this.queue(state, event.task)}`;
      }
      case "poll_began": {
        const poll = this.model.pollOf(i);
        const left = this.model.stateAt(i).queue.length;
        const why = poll?.wake
          ? ` It was woken ${duration(event.at - poll.wake.at)} ago by ${this.actor(poll.wake.by)}.`
          : "";
        return `${name} is polled.${why} ${left ? `${left} more in the run queue.` : "The run queue is empty now."}`;
      }
      case "poll_ended": {
        const poll = this.model.pollOf(i);
        const time = poll ? ` after ${duration(event.at - poll.from)}` : "";
        const waits = event.outcome === "pending" ? `: it waits for ${this.pendingFor(i)}` : "";
        return `The poll ends${time}: ${name} ${OUTCOMES[event.outcome] ?? event.outcome}${waits}.`;
      }
      case "joined":
        return `${by} takes the result of ${name}.`;
      case "dropped":
        return `The host of ${name} stops: its future is dropped.`;
      case "abort_requested":
        return `${by} asks ${name} to end.`;
      case "parked": {
        const most = event.at_most === undefined ? "" : `, for ${duration(event.at_most)} at most`;
        const waiting = this.model.stateAt(i).alive.size;
        const who = waiting === 1 ? "The only task waits" : `All ${waiting} tasks wait`;
        return `Nothing is runnable: the thread goes to sleep${most}. ${who}, and one sleep serves for all.`;
      }
      case "unparked": {
        const sleep = this.model.sleeps[lowerBound(this.model.sleeps, (sleep) => sleep.begin, i) - 1];
        return `The thread is awake again${sleep ? `, after ${duration(event.at - sleep.from)}` : ""}.`;
      }
      case "waits":
        return `${by} cannot have it yet: it leaves its waker and waits for ${this.wanted(event)}.`;
      case "socket_opened":
        return `${by} opened ${this.thing(event.socket)}, a ${event.kind}: the reactor watches it.`;
      case "socket_ready": {
        const what = [event.readable && "there is something to read", event.writable && "it can be written to"];
        const closed = event.closed ? ["the peer has closed, or failed"] : [];
        return `The system reports ${this.thing(event.socket)}: ${what.filter(Boolean).concat(closed).join(", ")}.`;
      }
      case "socket_closed":
        return `${by} closed ${this.thing(event.socket)}.`;
      case "timer_set": {
        const ahead = duration(Math.max(0, event.deadline - event.at));
        return `${by} set ${this.thing(event.timer)}, which is to fire in ${ahead}.`;
      }
      case "timer_fired":
        return `${this.thing(event.timer)} fires: its time has come.`;
      case "timer_cancelled":
        return `${by} gives up ${this.thing(event.timer)} before its time.`;
      case "job_queued":
        return `${by} hands ${this.thing(event.job)} to the blocking pool, at ${event.source}.`;
      case "job_started":
        return `A thread of the blocking pool begins ${this.thing(event.job)}.`;
      case "job_done":
        return `${this.thing(event.job)} is done.`;
      case "sent":
        return `${by} sends a value into ${this.thing(event.channel)}, which holds ${event.queued} now.`;
      case "received":
        return `${by} receives a value from ${this.thing(event.channel)}, which holds ${event.queued} now.`;
      case "fault":
        return `In the simulated world: ${event.what}.`;
      case "named":
        return `${event.resource} is called ${event.name}.`;
      default:
        return `${event.event}.`;
    }
  }

  pendingFor(i) {
    const event = this.model.events[i];
    return this.waitsFor(this.model.stateAt(i), event.task);
  }

  /** What the reader should have seen before event `i`, which is a decision of the executor. */
  whyNext(i) {
    const event = this.model.events[i];
    const before = this.model.stateAt(i - 1);
    if (event.event === "parked") {
      return "The run queue is empty, so nothing can run: the thread sleeps until a socket, a timer or another thread has something.";
    }
    const place = before.queue.indexOf(event.task);
    const wake = this.model.pollOf(i)?.wake;
    const because = wake ? ` It became runnable ${duration(event.at - wake.at)} before, because ${this.reason(wake.index)}.` : "";
    const name = this.task(event.task);
    if (before.queue.length === 1) return `${name} is the only one in the run queue.${because}`;
    if (place === 0) return `${name} is the first in the run queue: first come, first served.${because}`;
    return `${name} was drawn from the run queue, where it was number ${place + 1}: this runtime was built with a seed.${because}`;
  }
}
