// What the first view says.

import assert from "node:assert/strict";
import { REFRESH_MS, look, refresh, text, until } from "./look.mjs";
import { stage } from "./stage.mjs";

export default () => {
    look("one look tells what is broken, since when, whose fault, whether it is maintenance", async (open) => {
        const page = await open("/");
        assert.equal(await page.title(), "(2) mx02 - mailflow");
        assert.equal(await text(page, "h1"), "mx01 is not back from its maintenance");
        assert.match(await text(page, ".headline"), /And 1 other trouble:\s+mx04 → mx02: mail is slow since/);
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

    look("an agent with whom all is well says so", async (open) => {
        const page = await open("/", { agent: "well" });
        await until(page, () => document.querySelector("h1").innerText === "Everything flows" &&
            document.querySelector(".headline").innerText.includes("All 2 paths are ok."));
        assert.equal(await page.locator("article.trouble").count(), 0);
        await stage.shoot(page, "well", { fullPage: true });
    });

    look("the windows say how long they last and who knows of them", async (open) => {
        const page = await open("/");
        const active = page.locator("#window-w-active5");
        assert.match(await active.innerText(),
                     /mx05\s+w-active5\s+active\s+routine\s.*\snew disks\s+2\/3 by mx03, mx04/s);
        const unknowing = active.locator("details");
        assert.equal(await unknowing.locator("summary").innerText(), "not by mx01");
        await unknowing.locator("summary").click();
        assert.match(await unknowing.locator("li").innerText(), /^mx01: mail: /);
        const before = await active.locator("[data-until]").first().innerText();
        assert.match(before, /^in 1\d min( \d+ s)?$/);
        await until(page, (old) =>
            document.querySelector("#window-w-active5 [data-until]").innerText !== old, before);
        assert.match(await text(page, "#window-w-coming3"), /announced\s+emergency/);
        assert.match(await text(page, ".headline"), /In maintenance: mx05, until .*: new disks/);
    });

    look("every path stands in the matrix with state, latency and course", async (open) => {
        const page = await open("/");
        assert.equal(await page.locator("table.paths tbody tr").count(), 4);
        const row = page.locator("table.paths tbody tr").nth(2);
        assert.match(await row.innerText(), /mx04.*ok.*median.*slow.*1 min 59 s/s);
        assert.equal(await row.locator("svg.spark path").count(), 2);
        assert.ok(await row.locator("svg.spark circle.warn").count() >= 5);
    });

    look("what one trouble explains is folded into its card", async (open) => {
        const page = await open("/");
        const folded = page.locator("article.trouble").first().locator("details");
        assert.equal(await folded.locator("ul").isVisible(), false);
        await folded.locator("summary").click();
        assert.match(await folded.innerText(), /mx01 → mx02: nothing arrives/);
        await refresh(page);
        assert.equal(await folded.locator("ul").isVisible(), true, "it stays open");
    });

    look("certificates say how long they are good for", async (open) => {
        const page = await open("/", { agent: "expiring" });
        await page.locator("#certificates").waitFor({ timeout: REFRESH_MS });
        assert.match(await text(page, "#certificates tbody tr"),
                     /relay mx02\s+expires soon\s+\d{4}-\d\d-\d\d .*in 9 d \d+ h\)\s+localhost\s+Test Authority/s);
    });
};
