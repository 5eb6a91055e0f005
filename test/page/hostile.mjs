// What others have written that was to hurt the reader (hostile.py): it is shown, and does nothing.

import assert from "node:assert/strict";
import { drawn, look, newest, text, tooWide } from "./look.mjs";
import { NARROW, stage } from "./stage.mjs";

const views = async () => [
    ["front", "/", ["cause-", "cells-", "reason-", "by-", "server-", "hop<b>", "route<b>"]],
    ["inbound", "/path?name=mx04-%3Emx02", ["route<b>", "fresh<b>"]],
    ["outbound", "/path?name=mx02-%3Emx04", ["reply-", "refused-"]],
    ["arrived", `/probe?id=${(await newest("verdict=late", "hostile")).id}`,
     ["folder-", "mailbox-", "from<b>", "by<b>", "esmtp<b>", "tls<b>", "queue<b>", "reason<b>"]],
    ["bounced", `/probe?id=${(await newest("verdict=bounced", "hostile")).id}`,
     ["remote-", "diagnostic-", "reply-", "fault-", "queue-", "220 <script>", "<b>5.1.1"]],
];

// Elements that the page never has, and characters that no reader may get.
const harm = (page) => page.evaluate(() => ({
    broken: globalThis.broken,
    elements: [...document.querySelectorAll("main img, main script, main b b, main [onerror]")].length,
    characters: /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/
        .test(document.documentElement.textContent),
}));

export default () => {
    look("hostile words are shown and do no harm", async (open) => {
        for (const [name, address, marks] of await views()) {
            const page = await open(address, { agent: "hostile" });
            if (address.startsWith("/path")) {
                await drawn(page);
            }
            const words = await text(page);
            for (const mark of marks) {
                assert.ok(words.includes(mark), `${mark} is shown in ${name}`);
            }
            assert.deepEqual(await harm(page), { broken: undefined, elements: 0, characters: false }, name);
            assert.deepEqual(await tooWide(page), [], `${name} in 1280 pixels`);
            await stage.shoot(page, `hostile-${name}`);
            await page.setViewportSize(NARROW);
            assert.deepEqual(await tooWide(page), [], `${name} in 360 pixels`);
        }
    });

    look("hostile addresses are refused in words", async (open) => {
        const hurt = encodeURIComponent("<script>globalThis.broken=1</script>\u202e\u0001" + "W".repeat(500));
        for (const address of [`/path?name=${hurt}`, `/probe?id=${hurt}`, `/path?name=mx04-%3Emx02&range=${hurt}`]) {
            const page = await open(address, { agent: "hostile", mayFail: true });
            assert.match(await text(page), /Not here/);
            assert.deepEqual(await harm(page), { broken: undefined, elements: 0, characters: false });
        }
    });
};
