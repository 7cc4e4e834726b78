// What a reader does with the timeline, done in a browser. Run by run.sh, which makes the pages.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { after, before, test } from "node:test";
import { chromium } from "playwright-core";

const out = path.resolve("target/browser");
const url = (name) => `file://${path.join(out, name)}`;
// Background services off: the page must need no network, and the browser shall not ask for any either.
const args = "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-component-update --disable-sync";
let browser;

before(async () => {
  browser = await chromium.launch({ executablePath: process.env.CHROMIUM, args: args.split(" ") });
});
after(() => browser.close());

/** Opens a page; what it logs as an error, or asks of a network, fails the test. */
async function open(t, name, options = {}) {
  const page = await browser.newPage({ viewport: { width: 1280, height: 860 }, ...options });
  const faults = [];
  page.on("pageerror", (error) => faults.push(error.stack));
  page.on("console", (message) => message.type() === "error" && faults.push(message.text()));
  page.on("request", (request) => request.url() === url(name) || faults.push(`asks for ${request.url()}`));
  t.after(async () => {
    assert.deepEqual(faults, []);
    await page.close();
  });
  await page.goto(url(name));
  return page;
}

const sentence = (page) => page.locator("#sentence").innerText();
const where = async (page) => Number((await page.locator("#where").innerText()).match(/Event (\d+)/)[1]);

async function events(name) {
  const lines = (await readFile(path.join(out, name), "utf8")).trim().split("\n");
  return lines.slice(1).map((line) => JSON.parse(line));
}

test("it loads, and says what it shows", async (t) => {
  const page = await open(t, "five.html");
  assert.equal(await page.locator("h1").innerText(), "five <rates> & 50 ms each");
  assert.match(await page.locator("#facts").innerText(), /events, 6 tasks/);
  assert.match(await sentence(page), /main program spawned block_on, at examples\/rates\/coroutines\.rs:\d+/);
  assert.match(await page.locator("#code .here").innerText(), /block_on\(async/);
});

test("step forward and back, with queue and reasons", async (t) => {
  const trace = await events("five.jsonl");
  const page = await open(t, "five.html");
  for (let i = 2; i <= trace.length; i++) {
    await page.click("#step");
    assert.equal(await where(page), i);
    assert.ok((await sentence(page)).length > 10);
  }
  await page.click("#step");
  assert.equal(await where(page), trace.length, "it ends at the last event");
  await page.click("#back");
  assert.equal(await where(page), trace.length - 1);

  const ready = trace.findIndex((event) => event.event === "scheduled" && event.by === "reactor");
  await page.evaluate((i) => window.timeline.go(i), ready);
  assert.match(await sentence(page), /became runnable, because socket \d+ has room to write/);
  const third = trace.filter((event) => event.event === "scheduled")[3];
  await page.evaluate((i) => window.timeline.go(i), trace.indexOf(third));
  assert.match(await sentence(page), /^AED\/AMD became runnable, because block_on has just spawned it\. It waits behind AED\/AFN and AED\/ALL\.$/);
  assert.deepEqual(await page.locator("#queue li").allInnerTexts(), ["AED/AFN", "AED/ALL", "AED/AMD"]);
  const sleep = trace.findLastIndex((event) => event.event === "parked" && event.at_most !== undefined);
  await page.evaluate((i) => window.timeline.go(i), sleep);
  assert.match(await sentence(page), /the thread goes to sleep.*one sleep serves for all/);
  const joiner = trace.findIndex((event) => event.event === "scheduled" && event.task.endsWith(".0.0") && event.by.startsWith("task"));
  await page.evaluate((i) => window.timeline.go(i), joiner);
  assert.match(await sentence(page), /Block_on became runnable, because AED\/AFN, which it awaits, is finished/);
});

test("the next wake of this task, and search", async (t) => {
  const trace = await events("five.jsonl");
  const page = await open(t, "five.html");
  await page.fill("#search", "aed/amd");
  await page.press("#search", "Enter");
  assert.match(await sentence(page), /AED\/AMD/);
  const id = trace.find((event) => event.name === "AED/AMD").task;
  for (const expected of trace.flatMap((event, i) => (event.event === "scheduled" && event.task === id ? [i + 1] : []))) {
    await page.click("#wake");
    assert.equal(await where(page), expected);
  }
  await page.click("#wake");
  assert.match(await page.locator("#found").innerText(), /no later wake/);
  await page.fill("#search", "no such thing");
  await page.press("#search", "Enter");
  assert.equal(await page.locator("#found").innerText(), "nothing found");
});

test("search finds every word that a sentence shows", async (t) => {
  const page = await open(t, "five.html");
  const search = async (wanted) => {
    await page.fill("#search", wanted);
    await page.press("#search", "Enter");
    assert.notEqual(await page.locator("#found").innerText(), "nothing found", wanted);
    assert.ok((await sentence(page)).toLowerCase().includes(wanted.toLowerCase()), `${wanted}: ${await sentence(page)}`);
  };
  for (const wanted of ["one sleep serves for all", "has just spawned it", "cannot go on yet", "is awake again"]) await search(wanted);
  const unfound = await page.evaluate(() => {
    const { model, words, search } = window.timeline;
    const unfound = [];
    model.events.forEach((_, i) => {
      for (const word of words.sentence(i).split(/[\s,;:.]+/).filter(Boolean)) {
        if (search.find(word, i - 1, 1) !== i) unfound.push(`${word} in event ${i + 1}`);
      }
    });
    return unfound;
  });
  assert.deepEqual(unfound, []);

  // A name that a sentence shows only as what a task waits for, and how a poll ended.
  const found = await page.evaluate(() => {
    const lines = [
      { cotask_trace: 1 },
      { at: 0, event: "spawned", task: "0.0.0", name: "asks", source: "a.rs:1", by: "outside" },
      { at: 1, event: "scheduled", task: "0.0.0", by: "outside" },
      { at: 2, event: "named", resource: "timer 7.0", name: "latency" },
      { at: 3, event: "poll_began", task: "0.0.0" },
      { at: 4, event: "timer_set", timer: "timer 7.0", deadline: 9, by: "task 0.0.0" },
      { at: 5, event: "poll_ended", task: "0.0.0", outcome: "pending" },
      { at: 9, event: "scheduled", task: "0.0.0", by: "timer" },
      { at: 10, event: "poll_began", task: "0.0.0" },
      { at: 11, event: "poll_ended", task: "0.0.0", outcome: "panicked" },
    ];
    const model = parseTrace(lines.map((line) => JSON.stringify(line)).join("\n"));
    const search = new Search(model, new Words(model));
    return ["panicked", "LATENCY", "waits for timer 7 (latency)", "no such thing"].map((wanted) => search.find(wanted, 4, 1));
  });
  assert.deepEqual(found, [8, 5, 5, -1]);
});

test("a search in 100,000 events ends", async (t) => {
  const page = await open(t, "many.html");
  const took = await page.evaluate(() => {
    const before = performance.now();
    window.timeline.search.find("no such thing", 0, 1);
    return performance.now() - before;
  });
  t.diagnostic(`the first search took ${took.toFixed(0)} ms`);
  await page.fill("#search", "is finished");
  await page.press("#search", "Shift+Enter");
  assert.match(await sentence(page), /is finished\.$/);
});

test("hovering tells, clicking goes there", async (t) => {
  const page = await open(t, "five.html");
  const spot = await page.evaluate(() => {
    const { picture, model } = window.timeline;
    const task = model.lanes[1];
    const box = picture.canvas.getBoundingClientRect();
    return { x: box.left + picture.x(task.polls[0].begin) + 1, y: box.top + picture.y(task) + 13, begin: task.polls[0].begin };
  });
  await page.mouse.move(spot.x, spot.y);
  assert.match(await page.locator("#tip").innerText(), /AED\/AFN is polled/);
  await page.mouse.click(spot.x, spot.y);
  assert.equal(await where(page), spot.begin + 1);
});

test("predict: right, wrong, and why", async (t) => {
  const page = await open(t, "five.html");
  await page.keyboard.press("End");
  await page.keyboard.press("Home");
  await page.click("#predict");
  // The first decision: block_on is the only runnable task.
  await page.locator("#choices button", { hasText: "block_on" }).click();
  assert.match(await page.locator("#verdict").innerText(), /^Right\. block_on is the only one in the run queue/);
  await page.keyboard.press("Enter");
  // Five tasks are queued now; sleeping is wrong.
  assert.equal(await page.locator("#choices button").count(), 7);
  assert.equal(await page.locator("#verdict").innerText(), "");
  await page.locator("#choices button", { hasText: "sleeps" }).click();
  assert.match(await page.locator("#verdict").innerText(), /^No\. The thread sleeps only when nothing can run\. AED\/AFN is the first in the run queue/);
  await page.click("#goon");
  await page.locator("#choices button", { hasText: "AED/ARS" }).click();
  assert.match(await page.locator("#verdict").innerText(), /^No\. AED\/ARS is runnable, but number 4/);
  assert.equal(await page.locator("#score").innerText(), "1 of 3 right");
  await page.keyboard.press("Enter");
  await page.locator("#choices button", { hasText: "block_on" }).click();
  assert.match(await page.locator("#verdict").innerText(), /^No\. block_on is not in the run queue: it waits for AED\/AFN to end\./);
  await page.screenshot({ path: path.join(out, "predict.png") });
});

test("predict shows nothing of what follows", async (t) => {
  const trace = await events("five.jsonl");
  const page = await open(t, "five.html");
  await page.click("#predict");
  const asked = trace.findIndex((event) => event.event === "poll_began");
  assert.equal(await where(page), asked);
  await page.keyboard.press("End");
  await page.keyboard.press("ArrowRight");
  assert.equal(await where(page), asked, "no key goes past the question");
  assert.equal(await page.locator("#events li").count(), asked);
  assert.ok(await page.locator("#search").isDisabled());
  // Through the whole trace, always with the right answer, to its end.
  const decisions = trace.filter((event) => ["poll_began", "parked"].includes(event.event)).length;
  for (let k = 0; k < decisions; k++) {
    await page.evaluate(() => window.timeline.answer(window.timeline.quiz.truth));
    await page.click("#goon");
  }
  assert.equal(await page.locator("#score").innerText(), `${decisions} of ${decisions} right`);
  assert.equal(await page.locator("#verdict").innerText(), "The trace ends here.");
});

test("with the keyboard alone", async (t) => {
  const trace = await events("five.jsonl");
  const page = await open(t, "five.html");
  const keys = async (...all) => {
    for (const key of all) await page.keyboard.press(key);
  };
  await keys("ArrowRight", "ArrowRight");
  assert.equal(await where(page), 3);
  await keys("ArrowLeft");
  assert.equal(await where(page), 2);
  await keys("ArrowDown");
  assert.equal(trace[(await where(page)) - 1].event, "poll_began");
  await keys("End");
  assert.equal(await where(page), trace.length);
  await keys("Home", "t", "t");
  assert.match(await sentence(page), /AED\/ALL/);
  await keys("w");
  assert.match(await sentence(page), /AED\/ALL became runnable/);
  await keys("/");
  await page.keyboard.type("timer fired");
  await keys("Escape", "+", "+", "s", "s", "0", " ");
  assert.equal(await page.locator("#play").getAttribute("aria-pressed"), "true");
  await page.waitForFunction((i) => window.timeline.current > i, (await where(page)) - 1);
  await keys(" ");
  assert.equal(await page.locator("#play").getAttribute("aria-pressed"), "false");
  await keys("Home", "p", "1");
  assert.match(await page.locator("#verdict").innerText(), /^(Right|No)\./);
  // The verdict leaves the focus on the way on, and every control can be reached.
  assert.equal(await page.evaluate(() => document.activeElement.id), "goon");
  await keys("Enter", "p", "Home");
  const reached = new Set();
  for (let k = 0; k < 20; k++) {
    await keys("Tab");
    reached.add(await page.evaluate(() => document.activeElement.id));
  }
  for (const id of ["first", "back", "play", "step", "poll", "wake", "predict", "in", "out", "all", "scale", "search", "picture", "code"]) {
    assert.ok(reached.has(id), `Tab does not reach ${id}: ${[...reached]}`);
  }
});

test("a screen reader hears names, headings and the sentence", async (t) => {
  const page = await open(t, "five.html");
  const nameless = await page.evaluate(() =>
    [...document.querySelectorAll("button, input, canvas, section")]
      .filter((element) => !element.hidden && !element.closest("[hidden]"))
      .filter((element) => !(element.textContent.trim() || element.getAttribute("aria-label") || element.labels?.length))
      .map((element) => element.outerHTML),
  );
  assert.deepEqual(nameless, []);
  assert.equal(await page.locator("#sentence").getAttribute("aria-live"), "polite");
  // The sentence stands before the picture, the picture before the tables.
  const order = await page.evaluate(() => {
    const at = (id) => [...document.querySelectorAll("*")].indexOf(document.getElementById(id));
    return [at("sentence"), at("picture"), at("queue"), at("waiting"), at("code"), at("events")];
  });
  assert.deepEqual(order, [...order].sort((a, b) => a - b));
});

test("100,000 events stay smooth", async (t) => {
  const page = await open(t, "many.html");
  const count = (await events("many.jsonl")).length;
  assert.ok(count >= 100_000, `${count}`);
  // The median time of a frame's drawing and of a step, over many of each, at every zoom.
  const { draw, step } = await page.evaluate(() => {
    const app = window.timeline;
    const median = (times) => times.sort((a, b) => a - b)[times.length >> 1];
    const time = (work) => {
      const before = performance.now();
      work();
      return performance.now() - before;
    };
    const draws = [];
    const steps = [];
    app.go(Math.floor(app.model.events.length / 2));
    for (let k = 0; k < 40; k++) {
      app.picture.zoom(k < 20 ? 0.6 : 1 / 0.6);
      draws.push(time(() => app.picture.draw()));
      steps.push(time(() => app.go(app.current + 1)));
    }
    return { draw: median(draws), step: median(steps) };
  });
  t.diagnostic(`${count} events: a frame ${draw.toFixed(1)} ms, a step ${step.toFixed(1)} ms`);
  // Far from the 16 ms of a frame, and yet wide enough for a machine that is busy with something else.
  assert.ok(draw < 50 && step < 50, `a frame ${draw} ms, a step ${step} ms`);
  await page.keyboard.press("0");
  await page.screenshot({ path: path.join(out, "many.png") });
});

test("a trace that cannot be read is told, not shown empty", async (t) => {
  const page = await open(t, "five.html");
  const told = await page.evaluate(() => {
    const faults = [];
    for (const text of ["", "{\"cotask_trace\":2}", "no JSON", "{\"cotask_trace\":1}\nnot JSON"]) {
      try {
        parseTrace(text);
      } catch (error) {
        faults.push(error.message);
      }
    }
    return faults;
  });
  assert.match(told[0], /empty/);
  assert.match(told[1], /version 1, not 2/);
  assert.match(told[2], /line 1/);
  assert.match(told[3], /line 2/);
});

for (const [name, options] of Object.entries({
  light: { colorScheme: "light" },
  dark: { colorScheme: "dark" },
  phone: { viewport: { width: 390, height: 844 }, hasTouch: true, deviceScaleFactor: 2 },
})) {
  test(`it looks right: ${name}`, async (t) => {
    const page = await open(t, "five.html", options);
    for (let k = 0; k < 9; k++) await page.keyboard.press("ArrowDown");
    await page.screenshot({ path: path.join(out, `${name}.png`), fullPage: name === "phone" });
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    assert.ok(wide <= 0, "the page can be scrolled sideways");
    // Something is drawn in the lane of each task.
    const inked = await page.evaluate(() => {
      const { picture, model } = window.timeline;
      picture.draw();
      const ratio = picture.canvas.width / picture.width;
      return model.lanes.map((task) => {
        const row = picture.context.getImageData(0, (picture.y(task) + 13) * ratio, picture.canvas.width, 1).data;
        return new Set(new Uint32Array(row.buffer)).size;
      });
    });
    assert.ok(inked.every((colours) => colours > 3), `${inked}`);
  });
}
