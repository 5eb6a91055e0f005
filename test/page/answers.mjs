// What is broken, since when, whose fault, is it maintenance: for each of six situations the answers
// of a reader who has nothing but the words on the page, and the clicks that it took. They are also
// written down, for people, beside the pictures.

import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import path from "node:path";
import { REFRESH_MS, look, text, until } from "./look.mjs";
import { OUTPUT, stage } from "./stage.mjs";

const CLICKS_MAXIMUM = 3;
const AGO = (minutes) => new RegExp(`^\\d\\d:\\d\\d:\\d\\d \\(${minutes} min( \\d+ s)? ago\\)$`);

// `why`: what is clicked on, in this order, and what then is to be read.
const SITUATIONS = [
    {
        name: "one server down", agent: "down", what: /^mx03 is down$/, since: AGO("2[5-9]"),
        fault: /^mx03: nobody’s mail passes through it; 3 of 3 agents see it/, maintenance: /^No$/,
        why: [["mx03 → mx02", /mx03 → mx02\s+silent/]],
    },
    {
        name: "one path late", agent: "late", what: /^mx04 → mx02: mail is slow$/, since: AGO("3\\d"),
        fault: /^relay\.example, or its way to mx02\.example: there the last probe was slowest$/,
        maintenance: /^No$/,
        why: [["The probe that shows it", /Slowest hop: 92 s, relay\.example to mx02\.example/]],
    },
    {
        name: "maintenance overrun", agent: "overrun", what: /^mx01 is not back from its maintenance$/,
        since: AGO("2\\d"), fault: /^mx01: nobody’s mail passes through it; 3 of 3 agents see it/,
        maintenance: /^Yes, overrun: its routine window ended .* by root@mx01: kernel update$/,
        why: [[/Explains \d others, kept quiet/, /mx01 → mx02: nothing arrives/],
              ["mx02 → mx01", /In flight\s+\d/]],
    },
    {
        name: "mailbox blind", agent: "blind", what: /^The mailbox local cannot be read$/,
        since: AGO("1\\d"), fault: /^the mailbox’s server, or our way to it$/, maintenance: /^No$/,
        why: [],
    },
    {
        name: "certificate about to expire", agent: "expiring",
        what: /^mx02: a certificate expires soon or is not valid$/, since: /\(.* ago\)$/,
        fault: /^mx02, or those who look after its certificates$/, maintenance: /^No$/,
        evidence: /relay localhost:\d+: certificate expires in 9 days$/, why: [],
    },
];

// The line behind its name.
const answer = (words, name) => words.split("\n").at(words.split("\n").indexOf(name) + 1);

const read = async (page) => {
    const words = await text(page, "article.trouble");
    return {
        what: await text(page, "h1"), since: answer(words, "Since"), fault: answer(words, "Whose fault"),
        maintenance: answer(words, "Maintenance"), evidence: answer(words, "Evidence"),
    };
};

const note = (name, answers, clicks) => writeFile(
    path.join(OUTPUT, `answers-${name.replaceAll(" ", "-")}.txt`),
    [`${name}, after ${clicks.length} clicks`, ...Object.entries(answers).map((pair) => pair.join(": ")),
     ...clicks].join("\n") + "\n");

const follow = async (page, why) => {
    const seen = [];
    for (const [words, found] of why) {
        await page.locator("article.trouble").first().getByText(words, { exact: true }).first().click();
        await until(page, (source) =>
            new RegExp(source).test(document.querySelector("main")?.innerText), found.source);
        seen.push(`clicked on ${words}: ${found.exec(await text(page))[0].replace(/\s+/g, " ")}`);
    }
    return seen;
};

const inSight = (page) => page.evaluate(() => {
    const card = document.querySelector("article.trouble dl div:nth-child(4)");
    return card.getBoundingClientRect().bottom <= innerHeight;
});

export default () => {
    for (const { name, agent, why, ...questions } of SITUATIONS) {
        look(`a first-time reader has the answers: ${name}`, async (open) => {
            const page = await open("/", { agent });
            await page.locator("article.trouble").first().waitFor({ timeout: REFRESH_MS });
            const answers = await read(page);
            for (const [question, expected] of Object.entries(questions)) {
                assert.match(answers[question], expected, question);
            }
            assert.ok(await inSight(page), "without scrolling");
            await stage.shoot(page, `situation-${agent}`);
            assert.ok(why.length <= CLICKS_MAXIMUM);
            await note(name, answers, await follow(page, why));
        });
    }

    look("a first-time reader has the answers: everything fine", async (open) => {
        const page = await open("/", { agent: "calm" });
        const headline = await text(page, ".headline");
        assert.match(headline, /^Everything flows\s+All 6 paths are ok\.\s+No incident is open, no server is in maintenance\.$/);
        assert.match(await text(page, "#recent"), /None within the last day/);
        await stage.shoot(page, "situation-fine");
        await note("everything fine", { what: headline.replace(/\s+/g, " "),
                                        since: "closed lately: none within the last day" }, []);
    });
};
