// What the book can do when JavaScript runs. Without it each page reads as well: folds are the browser's own, and a
// timeline is a picture with a link.
"use strict";

/** A link below a timeline opens the page to step through right here, and closes it again. */
function timelines() {
  for (const link of document.querySelectorAll("figure.timeline a.step-through")) {
    const figure = link.closest("figure");
    const picture = figure.querySelector("img");
    const button = document.createElement("button");
    const open = "Step through it here";
    button.type = "button";
    button.className = "step-here";
    button.textContent = open;
    button.setAttribute("aria-expanded", "false");
    link.textContent = "in a page of its own";
    link.before(button, " ");
    button.addEventListener("click", () => {
      let frame = figure.querySelector("iframe");
      const opens = !frame;
      if (opens) {
        frame = document.createElement("iframe");
        frame.src = link.href;
        frame.title = picture.alt;
        picture.after(frame);
        frame.addEventListener("load", () => frame.focus());
      } else frame.remove();
      picture.hidden = opens;
      button.textContent = opens ? "Show the picture" : open;
      button.setAttribute("aria-expanded", String(opens));
    });
  }
}

/** What a reader has once predicted need not be guessed again: folds stay open in this tab. */
function folds() {
  const folds = document.querySelectorAll("details.predict, details.answer");
  folds.forEach((fold, number) => {
    const key = `fold ${location.pathname} ${number}`;
    try {
      fold.open = sessionStorage.getItem(key) === "open";
      fold.addEventListener("toggle", () => sessionStorage.setItem(key, fold.open ? "open" : "closed"));
    } catch { /* no storage: then they are closed at first */ }
  });
}

timelines();
folds();
