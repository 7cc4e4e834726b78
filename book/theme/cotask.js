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
      fold.addEventListener("toggle", () => printing || sessionStorage.setItem(key, fold.open ? "open" : "closed"));
    } catch { /* no storage: then they are closed at first */ }
  });
  // The style opens them for a printer; not every browser knows that part of CSS.
  let printing = null;
  addEventListener("beforeprint", () => {
    printing ??= [...folds].filter((fold) => !fold.open);
    printing.forEach((fold) => (fold.open = true));
  });
  addEventListener("afterprint", () => {
    printing?.forEach((fold) => (fold.open = false));
    printing = null;
  });
}

/** The first tab stop of a page leads past the list of chapters and the menu. */
function skipLink() {
  const text = document.querySelector("main");
  const link = document.createElement("a");
  link.className = "skip";
  link.href = "#mdbook-content";
  link.textContent = "Skip to the text";
  link.addEventListener("click", (event) => {
    event.preventDefault();
    text.tabIndex = -1;
    text.focus();
  });
  document.body.prepend(link);
}

/** mdBook's switch of the sidebar is a label: the keyboard does not reach it, and does nothing there. */
function sidebarByKeyboard() {
  const toggle = document.getElementById("mdbook-sidebar-toggle");
  if (!toggle) return;
  toggle.tabIndex = 0;
  toggle.setAttribute("role", "button");
  toggle.addEventListener("keydown", (event) => {
    if (event.key !== " " && event.key !== "Enter") return;
    event.preventDefault();
    toggle.click();
  });
}

/** mdBook turns the page at an arrow key, whatever has the focus. In a timeline it steps, and in code it scrolls. */
function arrowKeys() {
  document.addEventListener("keydown", (event) => {
    if (event.key !== "ArrowLeft" && event.key !== "ArrowRight") return;
    const figure = event.target.closest("figure.timeline");
    if (!figure && !event.target.closest("pre")) return;
    event.stopPropagation();
    const { key, shiftKey } = event;
    // From a file the frame is another origin, and has no document for us.
    const timeline = figure?.querySelector("iframe")?.contentDocument?.body;
    timeline?.dispatchEvent(new KeyboardEvent("keydown", { key, shiftKey, bubbles: true }));
  }, true);
}

timelines();
folds();
skipLink();
sidebarByKeyboard();
arrowKeys();
