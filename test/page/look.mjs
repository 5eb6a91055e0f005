// A test that looks at pages, and what several of them do with one.

import assert from "node:assert/strict";
import { test } from "node:test";
import { stage } from "./stage.mjs";

export const REFRESH_MS = 20000; // a few turns of page.js on a machine that is busy
const PATIENCE_MS = 180000;

// The body is given what opens a page. All of them are closed at its end, and none may have had
// anything to complain of, or asked anybody but the agent.
export const look = (name, body) => test(name, { timeout: PATIENCE_MS }, async () => {
    const pages = [];
    const open = async (...where) => {
        const page = await stage.open(...where);
        pages.push(page);
        return page;
    };
    try {
        await body(open);
    } finally {
        await Promise.all(pages.map((page) => stage.close(page)));
    }
    assert.deepEqual(pages.flatMap(({ wrongs }) => wrongs), [],
                     "no complaint of the browser, no request to anyone else");
});

export const probes = async (query, agent = "troubled") => {
    const answer = await fetch(`${stage.urls[agent]}/api/v1/probes?${query}`);
    return (await answer.json()).probes;
};

export const newest = async (query, agent) => (await probes(`limit=1&${query}`, agent))[0];

export const text = (page, selector = "main") => page.locator(selector).innerText();

export const drawn = (page) => page.waitForSelector("figure.drawn canvas");

// Looked at some times a second: a browser that looks at each frame draws them all.
export const until = (page, condition, argument) =>
    page.waitForFunction(condition, argument, { timeout: REFRESH_MS, polling: 200 });

// As page.js does by itself after some seconds, but now.
export const refresh = (page) => page.evaluate(() => new Promise((resolve) => {
    document.addEventListener("mailflow:refreshed", resolve, { once: true });
    document.dispatchEvent(new Event("visibilitychange"));
}));

// Parts of the page that reach beyond its width; what scrolls by itself may.
export const tooWide = (page) => page.evaluate(() => {
    const room = document.documentElement.clientWidth;
    scrollTo(1000, 0);
    const moved = scrollX > 0 ? ["the page scrolls"] : [];
    scrollTo(0, 0);
    return moved.concat([...document.querySelectorAll("main *")]
        .filter((element) => element.getBoundingClientRect().right > room + 1 &&
                !element.closest("svg, .wide, .canvas, thead"))
        .map((element) => `${element.tagName} ${element.className} ${element.textContent}`));
});
