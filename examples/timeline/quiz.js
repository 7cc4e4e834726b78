// Predict mode: the reader says what the executor will do next, and the trace tells whether that was right.
"use strict";

const SLEEP = "sleep";

class Quiz {
  constructor(model, words) {
    Object.assign(this, { model, words, right: 0, asked: 0, answered: false, question: -1 });
  }

  /** The next decision of the executor after event `i`; -1 when there is none. */
  next(i) {
    const { decisions } = this.model;
    return decisions[lowerBound(decisions, (at) => at, i + 1)] ?? -1;
  }

  /** Asks about the decision at event `i`, of which nothing may be shown yet. */
  ask(i) {
    this.question = i;
    this.answered = false;
    const state = this.model.stateAt(i - 1);
    const event = this.model.events[i];
    const truth = event.event === "parked" ? SLEEP : event.task;
    // Who is runnable may run; who is not makes a tempting wrong answer.
    const idle = state.idle(Math.max(1, 5 - state.queue.length)).found;
    const tasks = [...state.queue.slice(0, 5), ...idle];
    if (truth !== SLEEP && !tasks.includes(truth)) tasks.push(truth);
    // In the order of the lanes, so that the place tells nothing.
    tasks.sort((a, b) => this.model.tasks.get(a).lane - this.model.tasks.get(b).lane);
    this.choices = [...tasks.slice(0, 8), SLEEP].map((key) => ({
      key,
      words: key === SLEEP ? "nothing: the thread sleeps" : this.words.task(key),
    }));
    this.truth = truth;
    return this.choices;
  }

  /** Judges an answer, once. */
  answer(key) {
    if (this.answered) return null;
    this.answered = true;
    this.asked += 1;
    const right = key === this.truth;
    if (right) this.right += 1;
    const why = this.words.whyNext(this.question);
    return { right, words: `${right ? "Right." : `No. ${this.wrong(key)}`} ${why}` };
  }

  wrong(key) {
    const state = this.model.stateAt(this.question - 1);
    if (key === SLEEP) return "The thread sleeps only when nothing can run.";
    if (!state.queue.includes(key)) {
      return `${this.words.task(key)} is not in the run queue: it waits for ${this.words.waitsFor(state, key)}.`;
    }
    return `${this.words.task(key)} is runnable, but number ${state.queue.indexOf(key) + 1} in the queue.`;
  }
}
