// The picture: lanes on a canvas. Only what is in view is drawn, and only as finely as pixels are.
"use strict";

const LANE = 26;
const BAND = 22;
const AXIS = 24;
/** Rows above the tasks. */
const BANDS = ["run queue", "reactor", "timers", "other threads"];

class Picture {
  constructor(model, words, canvas) {
    Object.assign(this, { model, words, canvas, context: canvas.getContext("2d") });
    this.squeezed = true;
    this.current = 0;
    this.task = null;
    this.hover = -1;
    this.hideFuture = false;
    this.scroll = 0;
    this.places = this.squeeze();
    this.from = 0;
    this.to = 1;
    this.kinds = {
      reactor: this.pick(["socket_ready", "socket_opened", "socket_closed"]),
      timers: this.pick(["timer_set", "timer_fired", "timer_cancelled"]),
      "other threads": this.pick(["job_queued", "job_started", "job_done"]),
    };
    this.depths = this.measureQueue();
    this.fitAll();
  }

  pick(kinds) {
    const wanted = new Set(kinds);
    const found = [];
    this.model.events.forEach((event, i) => wanted.has(event.event) && found.push(i));
    return found;
  }

  measureQueue() {
    let depth = 0;
    let most = 1;
    const depths = this.model.events.map((event) => {
      if (event.event === "scheduled") depth += 1;
      if (event.event === "poll_began") depth = Math.max(0, depth - 1);
      most = Math.max(most, depth);
      return depth;
    });
    this.mostQueued = most;
    return depths;
  }

  /** Where each event stands when long pauses are drawn short: a pause counts by a low power of its length. */
  squeeze() {
    let place = 0;
    let last = this.model.start;
    return this.model.events.map((event) => {
      place += 0.4 + ((event.at - last) / 500) ** 0.3;
      last = event.at;
      return place;
    });
  }

  /** Where an event stands on the chosen scale. */
  place(i) {
    return this.squeezed ? this.places[i] : this.model.events[i].at;
  }

  fitAll() {
    const last = this.model.events.length - 1;
    const [from, to] = [this.place(0), this.place(last)];
    const margin = Math.max((to - from) * 0.02, 1);
    this.from = from - margin;
    this.to = to + margin;
  }

  setScale(squeezed) {
    const [first, last] = [this.eventAtPlace(this.from), this.eventAtPlace(this.to)];
    this.squeezed = squeezed;
    this.from = this.place(first);
    this.to = Math.max(this.place(last), this.from + 1);
    if (first === 0 && last === this.model.events.length - 1) this.fitAll();
  }

  eventAtPlace(place) {
    let [low, high] = [0, this.model.events.length - 1];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.place(middle) < place) low = middle + 1;
      else high = middle;
    }
    if (low > 0 && place - this.place(low - 1) < this.place(low) - place) return low - 1;
    return low;
  }

  get gutter() {
    return this.width < 600 ? 92 : 150;
  }

  x(i) {
    return this.gutter + ((this.place(i) - this.from) / (this.to - this.from)) * (this.width - this.gutter - 8);
  }

  placeAt(x) {
    return this.from + ((x - this.gutter) / (this.width - this.gutter - 8)) * (this.to - this.from);
  }

  get top() {
    return AXIS + BANDS.length * BAND + 6;
  }

  y(task) {
    return this.top + task.lane * LANE - this.scroll;
  }

  zoom(factor, x) {
    const middle = this.placeAt(x ?? this.x(this.current));
    const least = this.squeezed ? 2 : 50;
    const most = (this.place(this.model.events.length - 1) - this.place(0)) * 1.1 + 10;
    const span = Math.min(Math.max((this.to - this.from) * factor, least), most);
    const share = (middle - this.from) / (this.to - this.from);
    this.from = middle - span * share;
    this.to = this.from + span;
  }

  pan(pixels) {
    const move = (pixels / (this.width - this.gutter)) * (this.to - this.from);
    this.from += move;
    this.to += move;
  }

  /** Moves the picture as little as shows an event and its task. */
  reveal(i) {
    const place = this.place(i);
    const span = this.to - this.from;
    if (place < this.from + span * 0.01 || place > this.to - span * 0.01) {
      this.from = place - span * 0.4;
      this.to = this.from + span;
    }
    const task = this.model.taskOf(i);
    if (!task) return;
    const room = this.height - this.top;
    const y = task.lane * LANE;
    if (y < this.scroll) this.scroll = y;
    if (y + LANE > this.scroll + room) this.scroll = y + LANE - room;
  }

  scrollBy(pixels) {
    const all = this.model.lanes.length * LANE - (this.height - this.top);
    this.scroll = Math.min(Math.max(0, this.scroll + pixels), Math.max(0, all));
  }

  resize() {
    const ratio = window.devicePixelRatio || 1;
    // No higher than its lanes need; the style sheet says how high at most.
    this.canvas.style.height = "";
    const wanted = this.top + this.model.lanes.length * LANE + 28;
    if (wanted < this.canvas.clientHeight) this.canvas.style.height = `${wanted}px`;
    const box = this.canvas.getBoundingClientRect();
    this.width = box.width;
    this.height = box.height;
    this.canvas.width = Math.round(box.width * ratio);
    this.canvas.height = Math.round(box.height * ratio);
    this.context.setTransform(ratio, 0, 0, ratio, 0, 0);
    const style = getComputedStyle(this.canvas);
    const names = ["text", "dim", "line", "band", "sleep", "poll", "done", "bad", "budget", "queued", "arrow", "now", "pick", "page"];
    this.colours = Object.fromEntries(names.map((name) => [name, style.getPropertyValue(`--${name}`).trim()]));
    this.scrollBy(0);
  }

  /** The last event that may be seen. */
  get horizon() {
    return this.hideFuture ? this.current : this.model.events.length - 1;
  }

  draw() {
    const { context: c, colours, width, height } = this;
    c.clearRect(0, 0, width, height);
    c.font = "12px system-ui, sans-serif";
    c.textBaseline = "middle";
    this.first = Math.max(0, this.eventAtPlace(this.from) - 1);
    this.last = Math.min(this.horizon, this.eventAtPlace(this.to) + 1);
    c.save();
    c.beginPath();
    c.rect(this.gutter, 0, width - this.gutter, height);
    c.clip();
    this.drawSleeps();
    this.drawAxis();
    this.drawQueue();
    this.drawMarks();
    c.save();
    c.beginPath();
    c.rect(this.gutter, this.top - 2, width - this.gutter, height - this.top + 2);
    c.clip();
    this.drawTasks();
    c.restore();
    this.drawArrows();
    const now = this.x(this.current);
    c.fillStyle = colours.now;
    c.fillRect(now - 0.75, AXIS - 6, 1.5, height);
    if (this.hideFuture) {
      c.fillStyle = colours.band;
      c.fillRect(now + 1, AXIS, width, height);
      c.fillStyle = colours.dim;
      c.font = "italic 14px system-ui, sans-serif";
      c.fillText("what runs next?", now + 12, this.top + 14);
      c.font = "12px system-ui, sans-serif";
    }
    c.restore();
    this.drawLabels();
  }

  drawSleeps() {
    const { context: c, colours } = this;
    const { sleeps } = this.model;
    for (let k = Math.max(0, lowerBound(sleeps, (sleep) => sleep.begin, this.first) - 1); k < sleeps.length; k++) {
      const sleep = sleeps[k];
      if (sleep.begin > this.last) break;
      const end = Math.min(this.endOf(sleep), this.horizon);
      const [a, b] = [this.x(sleep.begin), this.x(end)];
      if (b < this.gutter) continue;
      c.fillStyle = colours.sleep;
      c.fillRect(a, AXIS, Math.max(b - a, 0.5), this.height);
      const left = Math.max(a, this.gutter);
      const length = duration(this.model.events[end].at - sleep.from);
      const words = b - left > 90 ? `asleep ${length}` : length;
      if (b - left > 44) {
        c.fillStyle = colours.dim;
        c.textAlign = "center";
        c.fillText(words, (left + Math.min(b, this.width)) / 2, this.height - 10);
        c.textAlign = "left";
      }
    }
  }

  endOf(sleep) {
    return Math.min(this.model.events.length - 1, lowerBound(this.model.events, (event) => event.at, sleep.to));
  }

  drawAxis() {
    const { context: c, colours, model } = this;
    c.fillStyle = colours.dim;
    c.strokeStyle = colours.line;
    c.textAlign = "center";
    const marks = Math.max(2, Math.floor((this.width - this.gutter) / 110));
    let right = this.gutter + 20;
    for (let k = 0; k <= marks; k++) {
      const i = this.eventAtPlace(this.from + ((this.to - this.from) * k) / marks);
      if (i > this.last) break;
      const x = this.x(i);
      if (x < right || x > this.width - 30) continue;
      c.fillText(duration(model.events[i].at - model.start, 4), x, AXIS / 2);
      c.fillRect(x, AXIS - 5, 1, 5);
      right = x + 75;
    }
    c.textAlign = "left";
  }

  drawQueue() {
    const { context: c, colours } = this;
    const base = AXIS + BAND - 2;
    const scale = (BAND - 5) / this.mostQueued;
    c.fillStyle = colours.queued;
    const step = Math.max(1, Math.floor((this.last - this.first) / 4000));
    for (let i = this.first; i < this.last; i += step) {
      let depth = 0;
      for (let k = i; k < Math.min(i + step, this.last); k++) depth = Math.max(depth, this.depths[k]);
      if (!depth) continue;
      const [a, b] = [this.x(i), this.x(Math.min(i + step, this.last))];
      c.fillRect(a, base - depth * scale, Math.max(b - a, 0.6), depth * scale);
    }
  }

  drawMarks() {
    const { context: c, colours, model } = this;
    BANDS.slice(1).forEach((band, row) => {
      const y = AXIS + (row + 1) * BAND + BAND / 2;
      let last = -9;
      const list = this.kinds[band];
      for (let k = lowerBound(list, (i) => i, this.first); k < list.length && list[k] <= this.last; k++) {
        const x = this.x(list[k]);
        if (x - last < 1) continue;
        last = x;
        const kind = model.events[list[k]].event;
        c.fillStyle = /cancelled|closed/.test(kind) ? colours.dim : /ready|fired|done/.test(kind) ? colours.done : colours.poll;
        c.beginPath();
        c.arc(x, y, list[k] === this.current ? 5 : 3, 0, 7);
        c.fill();
      }
    });
  }

  drawTasks() {
    const { context: c, colours, model } = this;
    const fills = { finished: colours.done, panicked: colours.bad, aborted: colours.bad, budget: colours.budget };
    const firstLane = Math.max(0, Math.floor(this.scroll / LANE) - 1);
    const lastLane = Math.min(model.lanes.length, Math.ceil((this.scroll + this.height - this.top) / LANE) + 1);
    for (let lane = firstLane; lane < lastLane; lane++) {
      const task = model.lanes[lane];
      const y = this.y(task);
      if (task === this.task) {
        c.fillStyle = colours.band;
        c.fillRect(this.gutter, y, this.width, LANE);
      }
      const born = Math.max(task.spawned, 0);
      const end = Math.min(task.over >= 0 ? task.over : model.events.length - 1, this.horizon);
      if (born <= this.last && end >= this.first) {
        c.fillStyle = colours.line;
        const [a, b] = [this.x(born), this.x(end)];
        c.fillRect(a, y + LANE / 2 - 0.5, b - a, 1);
      }
      const { polls } = task;
      let drawn = -9;
      for (let k = Math.max(0, lowerBound(polls, (poll) => poll.begin, this.first) - 1); k < polls.length; k++) {
        const poll = polls[k];
        const woken = poll.wake?.index ?? poll.begin;
        if (woken > this.last) break;
        const [a, b] = [this.x(poll.begin), this.x(Math.min(poll.end, this.horizon))];
        if (b - drawn < 0.5) continue;
        drawn = b;
        if (poll.wake) {
          const w = this.x(woken);
          c.fillStyle = colours.queued;
          c.fillRect(w, y + LANE / 2 - 3, Math.max(Math.min(a, this.x(this.horizon)) - w, 0), 6);
        }
        if (poll.begin > this.horizon) continue;
        c.fillStyle = (poll.end <= this.horizon && fills[poll.outcome]) || colours.poll;
        c.fillRect(a, y + 4, Math.max(b - a, 2), LANE - 8);
        if (poll.begin <= this.current && this.current <= poll.end) {
          c.strokeStyle = colours.now;
          c.lineWidth = 2;
          c.strokeRect(a - 1, y + 3, Math.max(b - a, 2) + 2, LANE - 6);
          c.lineWidth = 1;
        }
      }
    }
  }

  /** Where a wake comes from: a row above the tasks, or the lane of the task that woke. */
  source(wake) {
    if (wake.by.startsWith("task ")) {
      const waker = this.model.tasks.get(wake.by.slice(5));
      return waker ? this.y(waker) + LANE / 2 : null;
    }
    const row = { reactor: 1, timer: 2, thread: 3 }[wake.by];
    return row ? AXIS + row * BAND + BAND / 2 : null;
  }

  drawArrows() {
    const { wakes } = this.model;
    const begin = lowerBound(wakes, (wake) => wake.index, this.first);
    const end = lowerBound(wakes, (wake) => wake.index, this.last + 1);
    const chosen = this.model.wakeOf(this.current);
    if (end - begin <= 250) {
      for (let k = begin; k < end; k++) if (wakes[k] !== chosen) this.drawArrow(wakes[k], false);
    }
    if (chosen && chosen.index <= this.last) this.drawArrow(chosen, true);
  }

  drawArrow(wake, strong) {
    const { context: c, colours } = this;
    const from = this.source(wake);
    if (from === null || (wake.by === `task ${wake.task.id}` && !strong)) return;
    const to = this.y(wake.task) + LANE / 2;
    if (to < this.top) return;
    const polled = wake.poll && wake.poll.begin <= this.horizon;
    const [a, b] = [this.x(wake.index), this.x(polled ? wake.poll.begin : wake.index)];
    c.globalAlpha = strong ? 1 : 0.35;
    c.strokeStyle = strong ? colours.now : colours.arrow;
    c.fillStyle = c.strokeStyle;
    c.lineWidth = strong ? 2 : 1;
    c.beginPath();
    c.moveTo(a, Math.max(from, AXIS));
    const bend = Math.max(12, (b - a) / 2);
    c.bezierCurveTo(a + bend * 0.3, (from + to) / 2, b - bend, to, b - 5, to);
    c.stroke();
    c.beginPath();
    c.moveTo(b, to);
    c.lineTo(b - 6, to - 3.5);
    c.lineTo(b - 6, to + 3.5);
    c.fill();
    c.globalAlpha = 1;
    c.lineWidth = 1;
  }

  drawLabels() {
    const { context: c, colours, model } = this;
    c.fillStyle = colours.page;
    c.fillRect(0, 0, this.gutter, this.height);
    c.fillStyle = colours.dim;
    BANDS.forEach((band, row) => c.fillText(band, 8, AXIS + row * BAND + BAND / 2, this.gutter - 14));
    c.fillRect(0, this.top - 4, this.width, 0.5);
    c.save();
    c.beginPath();
    c.rect(0, this.top, this.gutter, this.height);
    c.clip();
    const firstLane = Math.max(0, Math.floor(this.scroll / LANE));
    const lastLane = Math.min(model.lanes.length, Math.ceil((this.scroll + this.height - this.top) / LANE));
    for (let lane = firstLane; lane < lastLane; lane++) {
      const task = model.lanes[lane];
      if (this.hideFuture && task.spawned > this.current) continue;
      c.fillStyle = task === this.task ? colours.now : colours.text;
      c.font = task === this.task ? "bold 12px system-ui, sans-serif" : "12px system-ui, sans-serif";
      let label = model.label(task);
      while (label.length > 4 && c.measureText(label).width > this.gutter - 16) label = `${label.slice(0, -2)}…`;
      c.fillText(label, 8, this.y(task) + LANE / 2);
    }
    c.restore();
  }

  /** The event under a point, or -1. */
  hit(x, y) {
    if (x < this.gutter || y < AXIS) return -1;
    const i = Math.min(this.eventAtPlace(this.placeAt(x)), this.horizon);
    const task = y >= this.top ? this.model.lanes[Math.floor((y - this.top + this.scroll) / LANE)] : undefined;
    const near = (list) => {
      const k = lowerBound(list, (at) => at, i);
      const close = [list[k - 1], list[k], list[k + 1]].filter((at) => at !== undefined && at <= this.horizon);
      const best = close.sort((a, b) => Math.abs(this.x(a) - x) - Math.abs(this.x(b) - x))[0];
      return best !== undefined && Math.abs(this.x(best) - x) < 12 ? best : -1;
    };
    if (task) {
      const k = lowerBound(task.polls, (poll) => this.place(poll.begin), this.placeAt(x)) - 1;
      const inside = task.polls[k];
      if (inside && this.x(inside.end) + 2 >= x) return Math.min(i, inside.end) < inside.begin ? inside.begin : this.nearestOf(task, x, inside);
      const ends = task.polls.slice(Math.max(0, k), k + 3).flatMap((poll) => [poll.wake?.index ?? poll.begin, poll.begin, poll.end]);
      return near(ends.sort((a, b) => a - b));
    }
    const row = Math.floor((y - AXIS) / BAND);
    return row > 0 && row < BANDS.length ? near(this.kinds[BANDS[row]]) : i;
  }

  /** The event of a poll that is nearest to a point. */
  nearestOf(task, x, poll) {
    let best = poll.begin;
    for (let i = poll.begin; i <= Math.min(poll.end, this.horizon); i++) {
      if (Math.abs(this.x(i) - x) < Math.abs(this.x(best) - x)) best = i;
    }
    return best;
  }

  laneAt(y) {
    return y >= this.top ? this.model.lanes[Math.floor((y - this.top + this.scroll) / LANE)] : undefined;
  }
}
