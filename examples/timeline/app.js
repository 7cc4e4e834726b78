// The page: buttons, keys and mouse on one side, model and picture on the other.
"use strict";

const $ = (id) => document.getElementById(id);

function start() {
  let model;
  try {
    model = parseTrace($("trace").textContent.trim());
    if (model.events.length === 0) throw new Error("the trace has no events");
  } catch (error) {
    $("fault").textContent = `Cannot show this trace: ${error.message}`;
    $("fault").hidden = false;
    return;
  }
  $("viewer").hidden = false;
  window.timeline = new App(model, JSON.parse($("sources").textContent));
}

class App {
  constructor(model, sources) {
    Object.assign(this, { model, sources, current: 0, playing: null, task: null });
    this.words = new Words(model);
    this.quiz = new Quiz(model, this.words);
    this.search = new Search(model, this.words);
    this.picture = new Picture(model, this.words, $("picture"));
    const { dropped } = model.header;
    $("facts").textContent =
      `${model.events.length} events, ${model.tasks.size} tasks, ${duration(model.end - model.start)}` +
      (dropped ? `; ${dropped} older events found no room in the ring` : "");
    this.buttons();
    this.keys();
    this.mouse();
    new ResizeObserver(() => this.resize()).observe($("picture"));
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.resize());
    this.resize();
    this.go(0);
  }

  resize() {
    this.picture.resize();
    this.paint();
  }

  /** Draws at the next frame, once however often it was asked for. */
  paint() {
    this.frame ??= requestAnimationFrame(() => {
      this.frame = null;
      this.picture.draw();
    });
  }

  go(i) {
    const last = this.picture.hideFuture ? this.quiz.question - 1 : this.model.events.length - 1;
    this.current = Math.min(Math.max(0, i), Math.max(0, last));
    const event = this.model.events[this.current];
    this.task = this.model.taskOf(this.current) ?? this.task;
    Object.assign(this.picture, { current: this.current, task: this.task });
    this.picture.reveal(this.current);
    $("where").textContent = `Event ${this.current + 1} of ${this.model.events.length}, at ${duration(event.at - this.model.start)}`;
    const sentence = this.words.sentence(this.current);
    $("sentence").textContent = sentence.charAt(0).toUpperCase() + sentence.slice(1);
    this.panels();
    this.paint();
  }

  panels() {
    const state = this.model.stateAt(this.current);
    const item = (words, kind) => Object.assign(document.createElement("li"), { textContent: words, className: kind ?? "" });
    const queue = state.queue.slice(0, 12).map((task) => item(this.words.task(task)));
    if (state.queue.length > 12) queue.push(item(`and ${state.queue.length - 12} more`, "more"));
    $("queue").replaceChildren(...(queue.length ? queue : [item("empty", "none")]));
    $("running").textContent = state.asleep ? "sleeps" : state.running ? `polls ${this.words.task(state.running)}` : "is between two polls";
    const idle = state.idle(30);
    const shown = idle.found.map((task) => item(`${this.words.task(task)}: ${this.words.waitsFor(state, task)}`));
    if (idle.count > 30) shown.push(item(`and ${idle.count - 30} more`));
    $("waiting").replaceChildren(...(shown.length ? shown : [item("nobody")]));
    this.code();
    this.list();
  }

  code() {
    const event = this.model.events[this.current];
    const place = event.event === "job_queued" ? event.source : this.task?.source;
    $("place").textContent = place ? `${this.task ? this.model.label(this.task) : ""} at ${place}` : "not in this trace";
    const source = this.sources[place];
    $("code").hidden = !source;
    if (!source) return;
    $("code").replaceChildren(
      ...source.lines.map((line, k) => {
        const row = document.createElement("span");
        row.textContent = `${String(source.first + k).padStart(4)}  ${line}`;
        if (source.first + k === source.line) row.className = "here";
        return row;
      }),
    );
  }

  /** The events around this one, as buttons. */
  list() {
    const last = this.picture.hideFuture ? this.current : this.model.events.length - 1;
    const from = Math.max(0, Math.min(this.current - 4, last - 9));
    const rows = [];
    for (let i = from; i <= Math.min(from + 9, last); i++) {
      const row = document.createElement("li");
      const button = document.createElement("button");
      const event = this.model.events[i];
      const about = this.model.taskOf(i);
      button.textContent = `${duration(event.at - this.model.start)}  ${event.event.replaceAll("_", " ")}${about ? `: ${this.model.label(about)}` : ""}`;
      button.tabIndex = -1;
      button.addEventListener("click", () => this.go(i));
      if (i === this.current) row.setAttribute("aria-current", "step");
      row.append(button);
      rows.push(row);
    }
    $("events").replaceChildren(...rows);
  }

  /** To the next or the last decision of the executor: a poll or a sleep. */
  decision(direction) {
    const { decisions } = this.model;
    const k = lowerBound(decisions, (at) => at, this.current + (direction > 0 ? 1 : 0)) + (direction > 0 ? 0 : -1);
    if (decisions[k] !== undefined) this.go(decisions[k]);
  }

  wake(direction) {
    const i = this.task ? this.model.wakeFrom(this.current, this.task, direction) : -1;
    if (i >= 0) return this.go(i);
    $("found").textContent = this.task
      ? `${this.model.label(this.task)} has no ${direction > 0 ? "later" : "earlier"} wake`
      : "this event belongs to no task";
  }

  otherTask(direction) {
    const { lanes, events } = this.model;
    const lane = ((this.task?.lane ?? -direction) + direction + lanes.length) % lanes.length;
    const id = lanes[lane].id;
    let i = this.current;
    while (i < events.length && this.model.taskOf(i)?.id !== id) i += 1;
    if (i === events.length) i = this.model.events.findIndex((_, k) => this.model.taskOf(k)?.id === id);
    if (i >= 0) this.go(i);
  }

  play() {
    clearInterval(this.playing);
    this.playing = this.playing ? null : setInterval(() => {
      const before = this.current;
      this.go(this.current + 1);
      if (this.current === before) this.play();
    }, 450);
    $("play").setAttribute("aria-pressed", String(this.playing !== null));
    $("playword").textContent = this.playing ? "Pause" : "Play";
  }

  predict() {
    const on = !this.picture.hideFuture;
    if (on && this.quiz.next(this.current) < 0) this.go(0);
    this.picture.hideFuture = on;
    $("predict").setAttribute("aria-pressed", String(on));
    $("quiz").hidden = !on;
    for (const id of ["play", "poll", "wake", "search"]) $(id).disabled = on;
    if (this.playing) this.play();
    if (on) this.ask();
    else this.go(this.current);
  }

  ask() {
    const question = this.quiz.next(this.current);
    if (question < 0) {
      $("verdict").textContent = "The trace ends here.";
      return $("choices").replaceChildren();
    }
    const choices = this.quiz.ask(question);
    $("verdict").textContent = "";
    $("choices").replaceChildren(
      ...choices.map(({ key, words }, k) => {
        const button = document.createElement("button");
        button.textContent = `${k + 1}. ${words}`;
        button.dataset.key = key;
        button.addEventListener("click", () => this.answer(key));
        return button;
      }),
    );
    this.go(question - 1);
  }

  answer(key) {
    const verdict = this.quiz.answer(key);
    if (!verdict) return;
    $("verdict").textContent = verdict.words;
    $("score").textContent = `${this.quiz.right} of ${this.quiz.asked} right`;
    for (const button of $("choices").children) {
      button.disabled = true;
      if (button.dataset.key === this.quiz.truth) button.className = "right";
      else if (button.dataset.key === key) button.className = "wrong";
    }
    const next = document.createElement("button");
    next.textContent = "Go on (Enter)";
    next.id = "goon";
    next.addEventListener("click", () => this.goOn());
    $("choices").append(next);
    next.focus({ preventScroll: true });
  }

  goOn() {
    if (!this.quiz.answered) return;
    this.current = this.quiz.question;
    this.ask();
    $("choices").firstElementChild?.focus({ preventScroll: true });
  }

  find(direction) {
    const wanted = $("search").value.trim();
    const i = wanted ? this.search.find(wanted, this.current, direction) : -1;
    $("found").textContent = i >= 0 ? `event ${i + 1}` : wanted ? "nothing found" : "";
    if (i >= 0) this.go(i);
  }

  /** What every key does that no text field takes. */
  actions() {
    const zoom = (factor) => () => (this.picture.zoom(factor), this.paint());
    return {
      ArrowRight: () => this.go(this.current + 1),
      ArrowLeft: () => this.go(this.current - 1),
      ArrowDown: () => this.decision(1),
      ArrowUp: () => this.decision(-1),
      Home: () => this.go(0),
      End: () => this.go(this.model.events.length - 1),
      " ": () => this.picture.hideFuture || this.play(),
      w: () => this.wake(1),
      W: () => this.wake(-1),
      t: () => this.otherTask(1),
      T: () => this.otherTask(-1),
      p: () => this.predict(),
      "+": zoom(0.6),
      "=": zoom(0.6),
      "-": zoom(1 / 0.6),
      0: () => (this.picture.fitAll(), this.paint()),
      s: () => this.scale(),
      "/": () => $("search").focus(),
      "?": () => ($("keys").open = !$("keys").open),
      Enter: () => this.picture.hideFuture && this.goOn(),
    };
  }

  scale() {
    this.picture.setScale(!this.picture.squeezed);
    $("scale").setAttribute("aria-pressed", String(this.picture.squeezed));
    this.picture.reveal(this.current);
    this.paint();
  }

  buttons() {
    const a = this.actions();
    const does = { first: a.Home, back: a.ArrowLeft, step: a.ArrowRight, play: () => this.play(), poll: a.ArrowDown, wake: a.w, predict: a.p, in: a["+"], out: a["-"], all: a[0], scale: a.s };
    for (const [id, action] of Object.entries(does)) $(id).addEventListener("click", action);
    $("search").addEventListener("keydown", (event) => {
      if (event.key === "Enter") this.find(event.shiftKey ? -1 : 1);
      if (event.key === "Escape") $("picture").focus();
    });
  }

  keys() {
    const actions = this.actions();
    document.addEventListener("keydown", (event) => {
      if (event.target.matches("input, pre") || event.ctrlKey || event.metaKey || event.altKey) return;
      if (event.target.matches("button, summary") && [" ", "Enter"].includes(event.key)) return;
      let key = event.key;
      if (event.shiftKey && key === "ArrowRight") key = "ArrowDown";
      if (event.shiftKey && key === "ArrowLeft") key = "ArrowUp";
      const choice = this.picture.hideFuture && $("choices").children[Number(key) - 1];
      if (choice && choice.dataset.key) choice.click();
      else if (actions[key]) actions[key]();
      else return;
      event.preventDefault();
    });
  }

  mouse() {
    const canvas = $("picture");
    let drag = null;
    const point = (event) => [event.offsetX, event.offsetY];
    canvas.addEventListener("pointerdown", (event) => {
      drag = { x: event.clientX, y: event.clientY, moved: false };
      canvas.setPointerCapture(event.pointerId);
    });
    canvas.addEventListener("pointermove", (event) => {
      if (drag) {
        const [dx, dy] = [event.clientX - drag.x, event.clientY - drag.y];
        if (!drag.moved && Math.hypot(dx, dy) < 5) return;
        drag = { x: event.clientX, y: event.clientY, moved: true };
        this.picture.pan(-dx);
        this.picture.scrollBy(-dy);
        return this.paint();
      }
      this.tip(...point(event));
    });
    canvas.addEventListener("pointerup", (event) => {
      if (drag && !drag.moved) this.click(...point(event));
      drag = null;
    });
    canvas.addEventListener("pointerleave", () => ($("tip").hidden = true));
    canvas.addEventListener("wheel", (event) => {
      event.preventDefault();
      if (event.ctrlKey || !event.shiftKey && Math.abs(event.deltaX) < Math.abs(event.deltaY) && !event.altKey) {
        this.picture.zoom(Math.exp(event.deltaY / 400), event.offsetX);
      } else if (event.altKey) this.picture.scrollBy(event.deltaY);
      else this.picture.pan(event.deltaX || event.deltaY);
      this.paint();
    }, { passive: false });
  }

  click(x, y) {
    const i = this.picture.hit(x, y);
    if (i >= 0) return this.go(i);
    const lane = this.picture.laneAt(y);
    if (!lane) return;
    this.task = this.picture.task = lane;
    this.code();
    this.paint();
  }

  tip(x, y) {
    const i = this.picture.hit(x, y);
    const tip = $("tip");
    tip.hidden = i < 0;
    if (i < 0) return;
    tip.textContent = this.words.sentence(i);
    tip.style.left = `${Math.max(0, Math.min(x + 14, this.picture.width - tip.offsetWidth - 4))}px`;
    tip.style.top = `${y + 18}px`;
  }
}

start();
