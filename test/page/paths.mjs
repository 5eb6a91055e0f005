// The views of paths.

import assert from "node:assert/strict";
import { drawn, look, text } from "./look.mjs";
import { stage } from "./stage.mjs";

export const LATE_PATH = "/path?name=mx04-%3Emx02";
export const PATH = "/path?name=mx02-%3Emx01";

export default () => {
    look("from the overview to a path, and on to a probe", async (open) => {
        const page = await open("/");
        await page.getByRole("link", { name: "mx04 → mx02", exact: true }).first().click();
        assert.match(await text(page, "h1"), /mx04 → mx02\s+slow/);
        await page.locator("#probes tbody a").first().click();
        assert.match(await text(page, "h1"), /late after 1 min 59 s/);
        assert.match(await text(page), /as far as this server knows neither window nor incident explains it/);
    });

    look("a path shows its latency over time, a flush as one mark", async (open) => {
        const page = await open(PATH);
        await drawn(page);
        await stage.shoot(page, "path");
        const source = await page.locator("figure").getAttribute("data-source");
        const data = await page.evaluate(async (url) => (await fetch(url)).json(), source);
        assert.deepEqual(data.marks.map(({ verdict, count, latency_seconds: latency }) =>
            ({ verdict, count, latency })), [{ verdict: "drained", count: 4, latency: 2926 }]);
        assert.equal(data.windows.length, 2);
        assert.ok(data.buckets.filter(({ count }) => count > 0).length > 80);
        assert.match(await text(page, ".concerns"), /mx01 is not back/);
        const marks = await page.locator("svg.chart .mark title").allTextContents();
        assert.match(marks.join("\n"), /^4 drained, 48 min 46 s, /);
    });

    look("the ranges of a path are links", async (open) => {
        const page = await open(LATE_PATH);
        await page.getByRole("link", { name: "7d" }).click();
        await drawn(page);
        assert.equal(await text(page, ".ranges [aria-current]"), "7d");
        const marks = await page.locator("svg.chart .mark title").allTextContents();
        assert.equal(marks.filter((title) => title.includes("late")).length, 5);
        await stage.shoot(page, "path-7d");
        await page.goto(`${stage.urls.troubled}/path?name=mx02-%3Emx04&range=7d`);
        const fatal = await page.locator("svg.chart .mark.bad title").allTextContents();
        assert.match(fatal.join("\n"), /1 bounced.*\n1 lost/);
    });

    look("a path says what its way was, and what it is now", async (open) => {
        const page = await open(LATE_PATH, { agent: "evidence" });
        const way = await text(page, "#way");
        assert.match(way, /Usual route\s+mx04\.example → mx02\.example\n/);
        assert.match(way, /Seen since\s+mx04\.example → relay\.example → mx02\.example\n/);
        assert.match(way, /spf\s+pass\s+dkim\s+fail it used to pass\s+dmarc\s+pass\s+arc\s+none/);
        assert.match(way, /Folder\s+the wrong one for 5 of the last 5 probes/);
        const concerns = await text(page, ".concerns");
        for (const words of ["is slow", "takes another route", "is not authenticated any more",
                             "is put into another folder"]) {
            assert.ok(concerns.includes(`mx04 → mx02: mail ${words} since`), words);
        }
        await stage.shoot(page, "way", { fullPage: true });
    });

    look("what is not there is said in words", async (open) => {
        const page = await open("/path?name=nobody", { mayFail: true });
        assert.match(await text(page), /no path 'nobody' here.*Back to the overview/s);
    });
};
