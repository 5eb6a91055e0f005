// What there is to know of single probes.

import assert from "node:assert/strict";
import { look, newest, probes, text } from "./look.mjs";
import { stage } from "./stage.mjs";

// The words of each step of the timeline, by row.
const steps = async (page) => {
    const rows = await page.locator("table.life tbody tr").all();
    return Promise.all(rows.map((row) => row.innerText()));
};

const openProbe = (open, { id }) => open(`/probe?id=${id}`, { agent: "evidence" });
const outbound = () => probes("path=mx02-%3Emx01&limit=20", "evidence");

export default () => {
    look("a probe's life is a timeline of legs", async (open) => {
        const page = await open(`/probe?id=${(await newest("verdict=drained")).id}`);
        const names = await page.locator("table.life tbody th").allInnerTexts();
        assert.deepEqual(names, ["dns", "connect", "submit", "transit"]);
        const words = await text(page);
        assert.match(words, /drained after 3 min 47 s/);
        assert.match(words, /Explained by incident \d+, which has closed/);
        assert.match(words, /250 2\.0\.0 Ok: queued as 4FZXKQ1Y/);
        assert.match(words, /w-2006story/);
        await stage.shoot(page, "probe", { fullPage: true });
    });

    look("a late probe's hops are there, and the slowest is named", async (open) => {
        const page = await openProbe(open, await newest("path=mx04-%3Emx02", "evidence"));
        assert.match(await text(page, ".headline"), /Slowest hop: 98 s, relay\.example to mx02\.example/);
        const [transit, first, second, third, delivery] = await steps(page);
        assert.match(transit, /transit\s.*1 min 40 s\s.*the whole way/s);
        assert.match(first, /hop\s.*agent\.mx04\.example to mx04\.example, ESMTPSA, TLSv1\.3 TLS_AES_256_GCM_SHA384, id 4FZXKQ1Y/s);
        assert.match(second, /hop\s.*mx04\.example to relay\.example, ESMTPS, TLSv1\.2, id 7QK2ZP/s);
        assert.match(third, /hop\s.*98 s ± 1 s\s.*the slowest\s+relay\.example to mx02\.example/s);
        assert.match(delivery, /delivery\s.*± 1 s\s.*mx02\.example to the mailbox/s);
        assert.equal(await page.locator("table.life rect.warn").count(), 1, "one bar stands out");
        const words = await text(page);
        assert.match(words, /Folder\s+Junk, not INBOX/);
        assert.match(words, /Hosts\s+mx04\.example → relay\.example → mx02\.example\s+Changed\s+yes/);
        assert.match(words, /spf\s+pass\s+dkim\s+fail, bad body hash\s+dmarc\s+pass\s+arc\s+none\s+Says\s+mx02\.example/);
        await stage.shoot(page, "hops", { fullPage: true });
    });

    look("a bounced probe has the remote server's words", async (open) => {
        const page = await openProbe(open, await newest("verdict=bounced", "evidence"));
        assert.equal(await text(page, "h1"), "bounced");
        assert.match(await text(page, ".headline"),
                     /mx01\.example: 550 5\.1\.1 <probe@mx01\.example>: User unknown/);
        assert.match(await text(page), /Bounce\s+Action\s+failed\s+Status\s+5\.1\.1\s+Remote server\s+mx01\.example\s+It said\s+550 5\.1\.1/);
        await stage.shoot(page, "bounced", { fullPage: true });
    });

    look("a probe on its way has what was reported of its delay", async (open) => {
        const ids = (await outbound()).filter(({ state }) => state === "accepted");
        const pages = await Promise.all(ids.map((probe) => openProbe(open, probe)));
        const words = await Promise.all(pages.map((page) => text(page)));
        assert.equal(words.filter((each) => /Delayed by mx01\.example: .?connect to mx01\.example: Connection timed out/.test(each)).length, 1);
    });

    look("a failed probe has what was said, without secrets", async (open) => {
        const page = await openProbe(open, (await outbound()).find(({ state }) => state === "refused"));
        assert.equal(await text(page, "h1"), "refused");
        assert.match(await text(page, ".headline"), /The server said: .?535 5\.7\.8 Authentication failed/);
        const lines = await page.locator("table.transcript tbody tr").allInnerTexts();
        assert.equal(lines.length, 6);
        assert.match(lines[4], /4\.0 ms\s+client\s+AUTH PLAIN \*\*\*/);
        assert.match(lines[5], /9\.0 ms\s+server\s+535 5\.7\.8/);
        await stage.shoot(page, "refused", { fullPage: true });
    });

    look("changed ways, lost passes and other folders are troubles with their evidence", async (open) => {
        const page = await open("/", { agent: "evidence" });
        const cards = (await page.locator("article.trouble").allInnerTexts()).join("\n");
        assert.match(cards, /mx02 → mx01: mail comes back.*1 probe came back, refused by mx01\.example.*550 5\.1\.1/s);
        assert.match(cards, /mail is slow.*Whose fault\s+relay\.example, or its way to mx02\.example/s);
        assert.match(cards, /takes another route.*over mx04\.example → relay\.example → mx02\.example instead of mx04\.example → mx02\.example/s);
        assert.match(cards, /not authenticated any more.*dkim used to pass, and now says fail/s);
        assert.match(cards, /another folder.*5 of the last 5 lay in another folder: Junk/s);
        await stage.shoot(page, "evidence", { fullPage: true });
    });
};
