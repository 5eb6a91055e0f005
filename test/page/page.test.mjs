// The page as a reader has it before their eyes, in Debian's Chromium.

import assert from "node:assert/strict";
import { after, afterEach, before, test } from "node:test";
import { findings, stage } from "./stage.mjs";

const PATH = "/path?name=mx02-%3Emx01";
const NARROW = { width: 360, height: 800 };
const opened = [];

const open = async (...where) => {
    const page = await stage.open(...where);
    opened.push(page);
    return page;
};

const text = (page) => page.evaluate(() => document.body.innerText);

const newest = async (query) => {
    const answer = await fetch(`${stage.urls.troubled}/api/v1/probes?limit=1&${query}`);
    return (await answer.json()).probes[0];
};

before(() => stage.raise());
after(() => stage.lower());

afterEach(async () => {
    const wrongs = opened.flatMap((page) => page.wrongs);
    for (const page of opened.splice(0)) {
        await page.context().close();
    }
    assert.deepEqual(wrongs, [], "no complaint of the browser, no request to anyone else");
});

test("one look tells what is broken, since when, whose fault, whether it is maintenance", async () => {
    const page = await open("/");
    assert.equal(await page.title(), "(2) mx02 - mailflow");
    assert.match(await page.locator("h1").innerText(), /2 troubles/);
    const first = await page.locator("article.trouble").first().innerText();
    assert.match(first, /mx01 is not back from its maintenance/);
    assert.match(first, /Since\s+\d\d:\d\d:\d\d \(2\d min( \d+ s)? ago\)/);
    assert.match(first, /Whose fault\s+mx01: nobody’s mail passes through it; 3 of 3 agents see it/);
    assert.match(first, /Maintenance\s+Yes, overrun: its routine window ended .* kernel update/);
    assert.match(first, /Connection refused|Name or service not known|cannot/);
    const second = await page.locator("article.trouble").nth(1).innerText();
    assert.match(second, /mx04 → mx02: mail is slow/);
    assert.match(second, /Maintenance\s+No/);
    await stage.shoot(page, "front", { fullPage: true });
    await stage.shoot(page, "screenshot"); // the README's: test/page/screenshot.png is made of it
});
