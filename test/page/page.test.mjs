// The page as a reader has it before their eyes, in Debian's Chromium.

import assert from "node:assert/strict";
import { after, afterEach, before, test } from "node:test";
import { findings, stage } from "./stage.mjs";

const LATE_PATH = "/path?name=mx04-%3Emx02";
const PATH = "/path?name=mx02-%3Emx01";
const LIVE_PATH = "/path?name=mx02-%3Emx03&range=1h";
const NARROW = { width: 360, height: 800 };
const REFRESH_MS = 12000; // two turns of page.js
const opened = [];

const open = async (...where) => {
    const page = await stage.open(...where);
    opened.push(page);
    return page;
};

const newest = async (query) => {
    const answer = await fetch(`${stage.urls.troubled}/api/v1/probes?limit=1&${query}`);
    return (await answer.json()).probes[0];
};

// Every view, with what it has to show.
const views = async () => [
    ["front", "/"],
    ["path", PATH],
    ["probe", `/probe?id=${(await newest("verdict=drained")).id}`],
    ["nothing", "/path?name=nobody"],
];

const drawn = (page) => page.waitForSelector("figure.drawn canvas");
const refreshed = (page) => page.waitForFunction(
    () => document.getElementById("as-of").textContent.endsWith("live"), null,
    { timeout: REFRESH_MS });

before(() => stage.raise());
after(() => stage.lower());

afterEach(async () => {
    const wrongs = opened.flatMap((page) => page.wrongs);
    for (const page of opened.splice(0)) {
        await page.context().close();
    }
    assert.deepEqual(wrongs, [], "no complaint of the browser, no request to anyone else");
});

// ---- what it says ----

test("one look tells what is broken, since when, whose fault, whether it is maintenance", async () => {
    const page = await open("/");
    assert.equal(await page.title(), "(2) mx02 - mailflow");
    assert.match(await page.locator("h1").innerText(), /2 troubles/);
    const first = await page.locator("article.trouble").first().innerText();
    assert.match(first, /mx01 is not back from its maintenance/);
    assert.match(first, /Since\s+\d\d:\d\d:\d\d \(2\d min( \d+ s)? ago\)/);
    assert.match(first, /Whose fault\s+mx01: nobody’s mail passes through it; 3 of 3 agents see it/);
    assert.match(first, /Maintenance\s+Yes, overrun: its routine window ended .* kernel update/);
    const second = await page.locator("article.trouble").nth(1).innerText();
    assert.match(second, /mx04 → mx02: mail is slow/);
    assert.match(second, /Maintenance\s+No/);
    await stage.shoot(page, "front", { fullPage: true });
    await stage.shoot(page, "screenshot"); // the README's: test/page/screenshot.png is made of it
});

test("an agent with whom all is well says so", async () => {
    const page = await open("/", { agent: "well" });
    await page.waitForFunction(() => document.querySelector("h1").innerText === "Everything flows",
                               null, { timeout: REFRESH_MS });
    assert.equal(await page.locator("article.trouble").count(), 0);
    await stage.shoot(page, "well", { fullPage: true });
});

test("the windows say how long they last and who knows of them", async () => {
    const page = await open("/");
    const active = page.locator("#window-w-active5");
    assert.match(await active.innerText(), /mx05\s+w-active5\s+active\s+routine\s.*\snew disks\s+2\/3 by mx03, mx04/s);
    const before = await active.locator("[data-until]").first().innerText();
    assert.match(before, /^in 1\d min( \d+ s)?$/);
    await page.waitForFunction(
        (old) => document.querySelector("#window-w-active5 [data-until]").innerText !== old, before);
    assert.match(await page.locator("#window-w-coming3").innerText(), /announced\s+emergency/);
});

test("every path stands in the matrix with state, latency and course", async () => {
    const page = await open("/");
    assert.equal(await page.locator("table.paths tbody tr").count(), 4);
    const row = page.locator("table.paths tbody tr").nth(2);
    assert.match(await row.innerText(), /mx04.*ok.*median.*slow.*1 min 59 s/s);
    assert.equal(await row.locator("svg.spark path").count(), 2);
    assert.ok(await row.locator("svg.spark circle.warn").count() >= 5);
});

test("what one trouble explains is folded into its card", async () => {
    const page = await open("/");
    const folded = page.locator("article.trouble").first().locator("details");
    assert.equal(await folded.locator("ul").isVisible(), false);
    await folded.locator("summary").click();
    assert.match(await folded.innerText(), /silent mx01 → mx02/);
    await refreshed(page);
    assert.equal(await folded.locator("ul").isVisible(), true, "it stays open");
});

test("from the overview to a path, and on to a probe", async () => {
    const page = await open("/");
    await page.getByRole("link", { name: "mx04 → mx02" }).first().click();
    assert.match(await page.locator("h1").innerText(), /mx04 → mx02\s+slow/);
    await page.locator("#probes tbody a").first().click();
    assert.match(await page.locator("h1").innerText(), /late after 1 min 59 s/);
    assert.match(await page.locator("main").innerText(), /neither window nor incident explains it/);
});

test("a path shows its latency over time, a flush as one mark", async () => {
    const page = await open(PATH);
    await drawn(page);
    await stage.shoot(page, "path", { fullPage: true });
    const source = await page.locator("figure").getAttribute("data-source");
    const data = await page.evaluate(async (url) => (await fetch(url)).json(), source);
    assert.deepEqual(data.marks.map(({ verdict, count, latency_seconds: latency }) =>
        ({ verdict, count, latency })), [{ verdict: "drained", count: 4, latency: 2926 }]);
    assert.equal(data.windows.length, 2);
    assert.ok(data.buckets.filter(({ count }) => count > 0).length > 80);
    assert.match(await page.locator(".concerns").innerText(), /mx01 is not back/);
});

test("the ranges of a path are links", async () => {
    const page = await open(LATE_PATH);
    await page.getByRole("link", { name: "7d" }).click();
    await drawn(page);
    assert.equal(await page.locator(".ranges [aria-current]").innerText(), "7d");
    const marks = await page.locator("svg.chart .mark title").allTextContents();
    assert.equal(marks.filter((title) => title.includes("late")).length, 5);
    await stage.shoot(page, "path-7d", { fullPage: false });
    await page.goto(`${stage.urls.troubled}/path?name=mx02-%3Emx04&range=7d`);
    const fatal = await page.locator("svg.chart .mark.bad title").allTextContents();
    assert.match(fatal.join("\n"), /1 bounced.*\n1 lost/);
});

test("a probe's life is a timeline of legs", async () => {
    const page = await open(`/probe?id=${(await newest("verdict=drained")).id}`);
    const steps = await page.locator("table.life tbody th").allInnerTexts();
    assert.deepEqual(steps, ["dns", "connect", "submit", "transit"]);
    const text = await page.locator("main").innerText();
    assert.match(text, /drained after 3 min 47 s/);
    assert.match(text, /Explained by incident \d+, which has closed/);
    assert.match(text, /250 2\.0\.0 Ok: queued as 4FZXKQ1Y/);
    assert.match(text, /w-2006story/);
    await stage.shoot(page, "probe", { fullPage: true });
});

test("what is not there is said in words", async () => {
    const page = await open("/path?name=nobody", { mayFail: true });
    assert.match(await page.locator("main").innerText(), /no path 'nobody' here.*Back to the overview/s);
    page.wrongs = page.wrongs.filter((wrong) => !wrong.includes("status of 404"));
});

// ---- how it behaves ----

test("it refreshes in place: focus, scroll and selection stay", async () => {
    const page = await open(LIVE_PATH);
    const link = page.locator("#probes tbody a").nth(2);
    await link.focus();
    const id = await link.getAttribute("href");
    await page.evaluate(() => {
        scrollTo(0, 300);
        getSelection().selectAllChildren(document.querySelector("#picture h2"));
    });
    const row = page.locator("#probes tbody tr").first();
    const before = await row.getAttribute("id");
    await page.waitForFunction(
        (old) => document.querySelector("#probes tbody tr").id !== old, before,
        { timeout: REFRESH_MS });
    const after = await page.evaluate(() => ({
        focused: document.activeElement.getAttribute("href"),
        selected: getSelection().toString(),
        scrolled: scrollY > 200,
    }));
    assert.deepEqual(after, { focused: id, selected: "Latency", scrolled: true });
});

test("it says when the agent does not answer, and when it does again", async () => {
    const page = await open("/", { agent: "well", mayFail: true });
    const answer = page.locator("#answer");
    await stage.order("stop", "well");
    await page.waitForFunction(
        () => document.getElementById("answer").textContent.startsWith("No answer since"), null,
        { timeout: REFRESH_MS });
    assert.match(await answer.innerText(), /^No answer since \d\d:\d\d:\d\d UTC$/);
    await stage.shoot(page, "no-answer");
    await stage.order("start", "well");
    await page.waitForFunction(() => document.getElementById("answer").textContent === "", null,
                               { timeout: REFRESH_MS });
    page.wrongs = page.wrongs.filter((wrong) => !wrong.includes("ERR_CONNECTION_REFUSED"));
});

test("it rests while nobody looks", async () => {
    const page = await open("/");
    await page.evaluate(() => {
        Object.defineProperty(document, "hidden", { value: true, configurable: true });
        document.dispatchEvent(new Event("visibilitychange"));
    });
    const asked = [];
    page.on("request", (request) => asked.push(request.url()));
    await page.clock.install();
    await page.waitForTimeout(1000);
    assert.deepEqual(asked, []);
    await page.evaluate(() => {
        Object.defineProperty(document, "hidden", { value: false });
        document.dispatchEvent(new Event("visibilitychange"));
    });
    await refreshed(page);
    assert.equal(asked.length, 1);
});

test("without scripts everything is there but what moves", async () => {
    const page = await open("/", { javaScriptEnabled: false });
    assert.match(await page.locator("main").innerText(), /mx01 is not back from its maintenance/);
    await page.goto(`${stage.urls.troubled}/probe?id=${(await newest("verdict=drained")).id}`);
    assert.match(await page.locator("table.life").innerText(), /transit\s+.*3 min 46 s/);
    await page.goto(stage.urls.troubled + PATH);
    assert.ok(await page.locator("svg.chart").isVisible());
    assert.ok(await page.locator("svg.chart path.median").getAttribute("d"));
    assert.equal(await page.locator("#probes tbody tr").count(), 100);
    await stage.shoot(page, "path-without-scripts");
});

test("without Chart.js the drawing that came with the page stays", async () => {
    const page = await stage.open("/");
    opened.push(page);
    await page.route("**/assets/chart.js", (route) => route.fulfill({ body: "", contentType: "text/javascript" }));
    await page.goto(stage.urls.troubled + PATH);
    await refreshed(page);
    assert.ok(await page.locator("svg.chart").isVisible());
    assert.equal(await page.locator("canvas").count(), 0);
});

// ---- for everybody ----

// Parts of the page that reach beyond its width; what scrolls by itself may.
const tooWide = (page) => page.evaluate(() => {
    const room = document.documentElement.clientWidth;
    scrollTo(1000, 0);
    const moved = scrollX > 0 ? ["the page scrolls"] : [];
    scrollTo(0, 0);
    return moved.concat([...document.querySelectorAll("main *")]
        .filter((element) => element.getBoundingClientRect().right > room + 1 &&
                !element.closest("svg, .wide, .canvas, thead"))
        .map((element) => `${element.tagName} ${element.className} ${element.textContent}`));
});

const withoutHeads = (page) => page.evaluate(() => [...document.querySelectorAll("table")]
    .filter((table) => !table.caption?.innerText || !table.querySelector("th[scope=col]"))
    .map((table) => table.outerHTML));

test("nothing stands in anybody's way, light or dark, wide or narrow", async () => {
    for (const [name, address] of await views()) {
        const page = await open(address, { mayFail: true });
        const file = name.replaceAll(" ", "-");
        if (address.startsWith("/path?name=mx")) {
            await drawn(page);
        }
        assert.deepEqual(await withoutHeads(page), [], `${name}: captions and headers`);
        assert.deepEqual(await findings(page), [], name);
        await stage.shoot(page, `${file}-light`);
        await page.emulateMedia({ colorScheme: "dark" });
        assert.deepEqual(await findings(page, ["color-contrast"]), [], `${name} in the dark`);
        await stage.shoot(page, `${file}-dark`);
        await page.setViewportSize(NARROW);
        assert.deepEqual(await tooWide(page), [], `${name} in 360 pixels`);
        await stage.shoot(page, `${file}-narrow`);
        page.wrongs = page.wrongs.filter((wrong) => !wrong.includes("status of 404"));
    }
});

test("the keyboard reaches everything, and one sees where it is", async () => {
    const page = await open("/");
    await page.keyboard.press("Tab");
    assert.equal(await page.evaluate(() => document.activeElement.className), "skip");
    assert.ok((await page.locator(".skip").boundingBox()).y >= 0, "it comes into sight");
    await page.keyboard.press("Enter");
    assert.equal(await page.evaluate(() => document.activeElement.id), "main");
    const wanted = await page.locator("main a, main summary").count();
    const reached = new Set();
    for (let i = 0; i < wanted; i++) {
        await page.keyboard.press("Tab");
        const outline = await page.evaluate(() => {
            const style = getComputedStyle(document.activeElement);
            return `${style.outlineStyle} ${parseFloat(style.outlineWidth) >= 2}`;
        });
        assert.equal(outline, "solid true");
        reached.add(await page.evaluate(() =>
            [...document.querySelectorAll("main a, main summary")].indexOf(document.activeElement)));
    }
    assert.equal(reached.size, wanted);
    assert.ok(!reached.has(-1));
});

// ---- what it is sent with ----

test("the policy admits our own files and nothing else", async () => {
    for (const [name, address] of await views()) {
        const { headers } = await fetch(stage.urls.troubled + address);
        assert.equal(headers.get("content-security-policy"),
                     "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; " +
                     "connect-src 'self'; base-uri 'none'; form-action 'none'; " +
                     "frame-ancestors 'none'", name);
        assert.equal(headers.get("x-content-type-options"), "nosniff");
        assert.equal(headers.get("referrer-policy"), "no-referrer");
    }
    const page = await open("/");
    await page.evaluate(() => {
        const script = document.createElement("script");
        script.textContent = "globalThis.broken = true";
        document.body.append(script);
    });
    assert.equal(await page.evaluate(() => globalThis.broken), undefined);
    assert.ok(page.wrongs.some((wrong) => wrong.includes("policy: script-src-elem")),
              "a violation is noticed");
    page.wrongs = [];
});
