// What a reader does with the book, done in a browser: each page, each fold, each timeline. Run by run.sh, which builds it.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
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
