// That it is there for everybody, and what it is sent with.

import assert from "node:assert/strict";
import { drawn, look, newest, tooWide } from "./look.mjs";
import { LATE_PATH } from "./paths.mjs";
import { NARROW, findings, stage } from "./stage.mjs";

// Every view, with what it has to show.
const VIEWS = {
    front: async () => ["troubled", "/"],
    path: async () => ["evidence", LATE_PATH],
    probe: async () => ["evidence", `/probe?id=${(await newest("path=mx04-%3Emx02", "evidence")).id}`],
    nothing: async () => ["troubled", "/path?name=nobody"],
};

const withoutHeads = (page) => page.evaluate(() => [...document.querySelectorAll("table")]
    .filter((table) => !table.caption?.innerText || !table.querySelector("th[scope=col]"))
    .map((table) => table.outerHTML));

const admit = async (name, agent, address) => {
    const { headers } = await fetch(stage.urls[agent] + address);
    assert.equal(headers.get("content-security-policy"),
                 "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; " +
                 "connect-src 'self'; base-uri 'none'; form-action 'none'; " +
                 "frame-ancestors 'none'", name);
    assert.equal(headers.get("x-content-type-options"), "nosniff");
    assert.equal(headers.get("referrer-policy"), "no-referrer");
};

export default () => {
    for (const [name, where] of Object.entries(VIEWS)) {
        look(`nothing stands in anybody's way, light or dark, wide or narrow: ${name}`, async (open) => {
            const [agent, address] = await where();
            const page = await open(address, { agent, mayFail: true });
            if (address.startsWith("/path?name=mx")) {
                await drawn(page);
            }
            await stage.shoot(page, `${name}-light`);
            await page.emulateMedia({ colorScheme: "dark" });
            await stage.shoot(page, `${name}-dark`);
            await page.setViewportSize(NARROW);
            assert.deepEqual(await tooWide(page), [], "in 360 pixels");
            await stage.shoot(page, `${name}-narrow`);
            assert.deepEqual(await withoutHeads(page), [], "captions and headers");
            assert.deepEqual(await findings(page, ["color-contrast"]), [], "in the dark");
            await page.emulateMedia({ colorScheme: "light" });
            assert.deepEqual(await findings(page), []);
        });
    }

    look("the keyboard reaches everything, and one sees where it is", async (open) => {
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
            const [outline, place] = await page.evaluate(() => {
                const style = getComputedStyle(document.activeElement);
                const places = [...document.querySelectorAll("main a, main summary")];
                return [`${style.outlineStyle} ${parseFloat(style.outlineWidth) >= 2}`,
                        places.indexOf(document.activeElement)];
            });
            assert.equal(outline, "solid true");
            reached.add(place);
        }
        assert.equal(reached.size, wanted);
        assert.ok(!reached.has(-1));
    });

    look("the policy admits our own files and nothing else", async (open) => {
        for (const [name, where] of Object.entries(VIEWS)) {
            await admit(name, ...await where());
        }
        const page = await open("/");
        const noticed = page.waitForEvent("console", {
            predicate: (message) => message.text().startsWith("policy: script-src-elem"),
        });
        await page.evaluate(() => {
            const script = document.createElement("script");
            script.textContent = "globalThis.broken = true";
            document.body.append(script);
        });
        await noticed;
        assert.equal(await page.evaluate(() => globalThis.broken), undefined);
        page.wrongs = [];
    });
};
