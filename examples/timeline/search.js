// Search in what the page says of each event.
"use strict";

class Search {
  constructor(model, words) {
    Object.assign(this, { model, words, texts: null });
  }

  /** The next event after (or, with a direction of -1, before) event `from` that is told with these words, round the end; -1 when none is. */
  find(wanted, from, direction) {
    this.texts ??= this.all();
    const { length } = this.texts;
    wanted = wanted.toLowerCase();
    for (let k = 1; k <= length; k++) {
      const i = (from + direction * k + length * 2) % length;
      if (this.texts[i].includes(wanted)) return i;
    }
    return -1;
  }

  /** All texts at once, at the first search: in the order of the events the state of each costs least. */
  all() {
    const texts = [];
    this.model.walk((i) => texts.push(this.text(i).toLowerCase()));
    return texts;
  }

  /** The sentence, what the list of events says, and what the sentence is about where it does not say so. */
  text(i) {
    const event = this.model.events[i];
    const about = this.model.taskOf(i);
    const things = [event.socket, event.timer, event.channel, event.job, event.on, event.resource].filter(Boolean);
    const names = things.map((thing) => `${thing} ${this.words.thing(thing)}`);
    const label = about ? this.model.label(about) : "";
    return [this.words.sentence(i), event.event.replaceAll("_", " "), label, ...names].join("\n");
  }
}
