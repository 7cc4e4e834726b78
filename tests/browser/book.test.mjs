// What a reader does with the book, done in a browser: each page, each fold, each timeline. Run by run.sh, which builds it.
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { mkdir, readdir } from "node:fs/promises";
import path from "node:path";
import { createInterface } from "node:readline";
import { after, before, test } from "node:test";
import { chromium } from "playwright-core";

const pages = path.resolve("target/book");
const shots = path.resolve("target/browser");
const args = "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-component-update --disable-sync";
let browser;
let server;
let root;

before(async () => {
  server = spawn("target/debug/book", ["serve", "--port", "0"], { stdio: ["ignore", "pipe", "inherit"] });
  const lines = createInterface({ input: server.stdout })[Symbol.asyncIterator]();
  for (let line = await lines.next(); !root; line = await lines.next()) {
    assert.ok(!line.done, "the server ended before it told its address");
    root = line.value.match(/http:\S+/)?.[0];
    if (root) break;
  }
  browser = await chromium.launch({ executablePath: process.env.CHROMIUM, args: args.split(" ") });
  await mkdir(shots, { recursive: true });
});
after(async () => {
  await browser?.close();
  server?.kill("SIGINT");
});

async function chapters() {
  const files = await readdir(pages, { recursive: true });
  const aside = ["toc.html", "404.html", "print.html"];
  return files.filter((file) => file.endsWith(".html") && !file.startsWith("timelines") && !aside.includes(file)).sort();
}

/** Opens a page; what it logs as an error, cannot load, or asks of another machine, is a fault. */
async function open(name, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
  // The page with the whole book asks to be printed as soon as it is there; without a person that print would never end.
  await context.addInitScript(() => (window.print = () => {}));
  const page = await context.newPage();
  page.setDefaultTimeout(60_000);
  page.faults = [];
  page.on("pageerror", (error) => page.faults.push(`${name}: ${error.stack}`));
  page.on("console", (message) => message.type() === "error" && page.faults.push(`${name}: ${message.text()}`));
  page.on("response", (response) => response.status() >= 400 && page.faults.push(`${name}: ${response.status()} ${response.url()}`));
  page.on("request", (request) => /^(data|blob):/.test(request.url()) || request.url().startsWith(root) || page.faults.push(`${name} asks for ${request.url()}`));
  await page.goto(root + name);
  return page;
}

test("each page loads, its folds open, and its timelines step", { timeout: 1_200_000 }, async () => {
  const faults = [];
  const seen = { pages: 0, folds: 0, timelines: 0 };
  for (const name of await chapters()) {
    const page = await open(name);
    for (const fold of await page.locator("main details.predict, main details.answer").all()) {
      await fold.locator("summary").click();
      const answer = await fold.evaluate((element) => element.open && element.innerText.length - element.querySelector("summary").innerText.length);
      if (!(answer > 20)) faults.push(`${name}: a fold without an answer`);
      seen.folds++;
    }
    for (const figure of await page.locator("figure.timeline").all()) {
      const id = await figure.getAttribute("id");
      if (!(await figure.locator("img").evaluate((picture) => picture.decode().then(() => picture.naturalWidth > 0)))) faults.push(`${name}: ${id} has no picture`);
      await figure.locator("button.step-here").click();
      const frame = figure.frameLocator("iframe");
      const where = async () => Number((await frame.locator("#where").innerText()).match(/Event (\d+)/)[1]);
      const before = await where();
      await frame.locator("#step").click();
      if ((await where()) !== before + 1) faults.push(`${name}: ${id} does not step`);
      await figure.locator("button.step-here").click();
      assert.ok(await figure.locator("img").isVisible());
      seen.timelines++;
    }
    faults.push(...page.faults);
    seen.pages++;
    await page.context().close();
  }
  console.log(`${seen.pages} pages, ${seen.folds} folds, ${seen.timelines} timelines`);
  assert.deepEqual(faults, []);
  assert.ok(seen.pages > 10 && seen.folds > 10 && seen.timelines > 3);
});

test("on a phone no page is wider than the screen", { timeout: 600_000 }, async () => {
  const wide = [];
  for (const name of await chapters()) {
    const page = await open(name, { viewport: { width: 390, height: 844 } });
    const [content, screen] = await page.evaluate(() => [document.scrollingElement.scrollWidth, document.documentElement.clientWidth]);
    if (content > screen) wide.push(`${name}: ${content} of ${screen}`);
    await page.context().close();
  }
  assert.deepEqual(wide, []);
});

test("without JavaScript: pictures, folds, and a link to each timeline", async () => {
  const page = await open("3-inside/task.html", { javaScriptEnabled: false });
  const figure = page.locator("figure.timeline").first();
  assert.ok(await figure.locator("img").isVisible());
  assert.match(await figure.locator("a.step-through").getAttribute("href"), /timelines\/.+\.html$/);
  await page.locator("details.predict summary").first().click();
  assert.ok(await page.locator("details.predict p").first().isVisible());
  await page.context().close();
});

/** All letters and digits of a text: what a line break, a ligature or a mark for a page cannot change. */
const letters = (text) => text.normalize("NFKC").replace(/[^\p{L}\p{N}]/gu, "");

for (const javaScriptEnabled of [true, false]) {
  test(`the printed book holds the text of every fold, JavaScript ${javaScriptEnabled ? "on" : "off"}`, { timeout: 600_000 }, async (t) => {
    if (spawnSync("pdftotext", ["-v"]).error) return t.skip("no pdftotext here: install the package poppler-utils");
    const page = await open("print.html", { javaScriptEnabled, colorScheme: "dark" });
    const file = path.join(shots, `book-${javaScriptEnabled}.pdf`);
    await page.pdf({ path: file });
    // Without JavaScript nothing in the page can be asked, so the folds are read from another one.
    const asked = javaScriptEnabled ? page : await open("print.html");
    const folds = await asked.evaluate(() =>
      [...document.querySelectorAll("main details")].map((fold) =>
        [...fold.children].filter((child) => child.tagName !== "SUMMARY").map((child) => child.textContent).join(" "),
      ),
    );
    const { stdout } = spawnSync("pdftotext", [file, "-"], { encoding: "utf8", maxBuffer: 1 << 28 });
    const printed = letters(stdout);
    const lost = folds.filter((fold) => !printed.includes(letters(fold).slice(0, 40)));
    t.diagnostic(`${folds.length} folds, of which ${lost.length} are not in the print`);
    assert.ok(folds.length > 100 && folds.every((fold) => letters(fold).length > 10));
    assert.deepEqual(lost.slice(0, 3), []);
    // On the screen they are closed again, once the print has ended.
    if (javaScriptEnabled) await page.waitForFunction(() => !document.querySelector("main details[open]"));
    for (const each of new Set([page, asked])) await each.context().close();
  });
}

test("what is printed of a timeline is its picture", async () => {
  const page = await open("3-inside/task.html");
  const figure = page.locator("figure.timeline").first();
  await figure.locator("button.step-here").click();
  await page.emulateMedia({ media: "print" });
  assert.ok(await figure.locator("img").isVisible());
  assert.ok(!(await figure.locator("iframe").isVisible()));
  await page.context().close();
});

/** The element that has the focus: its id, or what it says. */
const focused = (page) => page.evaluate(() => document.activeElement.id || document.activeElement.textContent.trim());

test("the first tab stop leads past the menu, into the text", async () => {
  for (const viewport of [{ width: 1280, height: 900 }, { width: 390, height: 844 }]) {
    const page = await open("2-build/waker.html", { viewport });
    await page.keyboard.press("Tab");
    assert.equal(await focused(page), "Skip to the text");
    assert.ok(await page.getByText("Skip to the text").isVisible());
    await page.keyboard.press("Enter");
    await page.keyboard.press("Tab");
    assert.ok(await page.evaluate(() => document.activeElement.closest("main") !== null), await focused(page));
    assert.deepEqual(page.faults, []);
    await page.context().close();
  }
});

test("the keyboard opens and closes the sidebar", async () => {
  const page = await open("2-build/waker.html");
  const toggle = page.locator("#mdbook-sidebar-toggle");
  const chapter = page.locator("#mdbook-sidebar a").first();
  // Backwards from the text, the menu comes next.
  await page.locator("main a").first().focus();
  for (let k = 0; k < 8 && (await focused(page)) !== "mdbook-sidebar-toggle"; k++) await page.keyboard.press("Shift+Tab");
  assert.equal(await focused(page), "mdbook-sidebar-toggle");
  assert.equal(await toggle.getAttribute("role"), "button");
  for (const [key, expanded] of [["Enter", "false"], ["Space", "true"], ["Enter", "false"]]) {
    await page.keyboard.press(key);
    assert.equal(await toggle.getAttribute("aria-expanded"), expanded, key);
    // And it has come to rest: mdBook takes it away when its movement ends, and one that is turned back at once never does.
    await page.waitForFunction((wanted) => {
      const shown = getComputedStyle(document.getElementById("mdbook-sidebar")).display !== "none";
      return shown === wanted && document.getAnimations().every((animation) => animation.playState === "finished");
    }, expanded === "true");
  }
  assert.equal(await chapter.getAttribute("tabindex"), "-1", "what is not seen is no tab stop");
  await page.context().close();
});

test("arrow keys turn the page, but not while something that uses them has the focus", async () => {
  const page = await open("2-build/waker.html");
  const here = page.url();
  const figure = page.locator("figure.timeline").first();
  const button = figure.locator("button.step-here");
  // Where mdBook listens too: what does not arrive here turns no page.
  await page.evaluate(() => {
    window.arrived = 0;
    document.addEventListener("keydown", (event) => (window.arrived += event.key.startsWith("Arrow")));
  });
  await button.focus();
  await page.keyboard.press("ArrowRight");
  await page.keyboard.press("ArrowLeft");
  // Open: an arrow key steps, whether the timeline itself or the button below it has the focus.
  await button.press("Enter");
  const frame = figure.frameLocator("iframe");
  const event = async (number) => {
    await frame.locator("#where", { hasText: new RegExp(`^Event ${number} `) }).waitFor();
    assert.equal(page.url(), here);
  };
  await event(1);
  await page.waitForFunction(() => document.activeElement.tagName === "IFRAME");
  await page.keyboard.press("ArrowRight");
  await event(2);
  await button.focus();
  await page.keyboard.press("ArrowRight");
  await event(3);
  await page.keyboard.press("ArrowLeft");
  await event(2);
  // Code that is scrolled sideways.
  await page.locator("main pre code").first().evaluate((code) => {
    code.tabIndex = 0;
    code.focus();
  });
  await page.keyboard.press("ArrowRight");
  assert.equal(await page.evaluate(() => window.arrived), 0);
  assert.equal(page.url(), here);
  await page.evaluate(() => document.activeElement.blur());
  await page.keyboard.press("ArrowRight");
  await page.waitForURL((url) => url.href !== here);
  await page.context().close();
});

test("dark or light as the reader's system has it, and pictures with it", async () => {
  const background = async (colorScheme) => {
    const page = await open("how-to-read.html", { colorScheme });
    const colour = await page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);
    const scheme = await page.locator("figure.timeline img").evaluate((picture) => getComputedStyle(picture).colorScheme);
    await page.screenshot({ path: path.join(shots, `book-${colorScheme}.png`) });
    await page.context().close();
    return [colour, scheme];
  };
  const [light, dark] = [await background("light"), await background("dark")];
  assert.deepEqual([light[1], dark[1]], ["light", "dark"]);
  assert.notEqual(light[0], dark[0]);
});
