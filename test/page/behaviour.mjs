// How it behaves over time, and without what it would like to have.

import assert from "node:assert/strict";
import { look, newest, refresh, text, until } from "./look.mjs";
import { PATH } from "./paths.mjs";
import { stage } from "./stage.mjs";

const LIVE_PATH = "/path?name=mx02-%3Emx03&range=1h";

const hide = (page, hidden) => page.evaluate((value) => {
    Object.defineProperty(document, "hidden", { value, configurable: true });
    document.dispatchEvent(new Event("visibilitychange"));
}, hidden);

export default () => {
    look("it refreshes in place: focus, scroll and selection stay", async (open) => {
        const page = await open(LIVE_PATH);
        const link = page.locator("#probes tbody a").nth(2);
        await link.focus();
        const [id, before] = await page.evaluate(() => { // at once: it may refresh at any time
            scrollTo(0, 300);
            getSelection().selectAllChildren(document.querySelector("#picture h2"));
            return [document.activeElement.getAttribute("href"),
                    document.querySelector("#probes tbody tr").id];
        });
        await until(page, (old) => document.querySelector("#probes tbody tr").id !== old, before);
        const after = await page.evaluate(() => ({
            focused: document.activeElement.getAttribute("href"),
            selected: getSelection().toString(),
            scrolled: scrollY > 200,
        }));
        assert.deepEqual(after, { focused: id, selected: "Latency", scrolled: true });
    });

    // Of an agent that no other test looks at.
    look("it says when the agent does not answer, and when it does again", async (open) => {
        const page = await open("/", { agent: "fine", mayFail: true });
        const nudge = () => page.evaluate(
            () => document.dispatchEvent(new Event("visibilitychange")));
        await stage.order("stop", "fine");
        await nudge();
        await until(page, () =>
            document.getElementById("answer").textContent.startsWith("No answer since"));
        assert.match(await text(page, "#answer"), /^No answer since \d\d:\d\d:\d\d UTC$/);
        await stage.shoot(page, "no-answer");
        await stage.order("start", "fine");
        await nudge();
        await until(page, () => document.getElementById("answer").textContent === "");
    });

    look("it rests while nobody looks", async (open) => {
        const page = await open("/healthz", { alone: true });
        await page.clock.install();
        await page.goto(`${stage.urls.troubled}/`);
        await hide(page, true);
        const asked = [];
        page.on("request", (request) => {
            if (!request.url().includes("/assets/")) { // the icon comes when the browser likes
                asked.push(request.url());
            }
        });
        await page.clock.runFor(60000);
        assert.deepEqual(asked, []);
        await hide(page, false);
        await page.waitForFunction(() => document.getElementById("as-of").textContent.endsWith("live"));
        assert.equal(asked.length, 1);
    });

    look("without scripts everything is there but what moves", async (open) => {
        const page = await open("/", { javaScriptEnabled: false });
        assert.match(await text(page), /mx01 is not back from its maintenance/);
        await page.goto(`${stage.urls.troubled}/probe?id=${(await newest("verdict=drained")).id}`);
        assert.match(await text(page, "table.life"), /transit\s+.*3 min 46 s/);
        await page.goto(stage.urls.troubled + PATH);
        assert.ok(await page.locator("svg.chart").isVisible());
        assert.ok(await page.locator("svg.chart path.median").getAttribute("d"));
        assert.equal(await page.locator("#probes tbody tr").count(), 100);
        await stage.shoot(page, "path-without-scripts");
    });

    look("without Chart.js the drawing that came with the page stays", async (open) => {
        const page = await open("/healthz");
        await page.route("**/assets/chart.js", (route) =>
            route.fulfill({ body: "", contentType: "text/javascript" }));
        await page.goto(stage.urls.troubled + PATH);
        await refresh(page);
        assert.ok(await page.locator("svg.chart").isVisible());
        assert.equal(await page.locator("canvas").count(), 0);
    });
};
