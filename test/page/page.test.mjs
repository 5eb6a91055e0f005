// The page as a reader has it before their eyes, in Debian's Chromium. All parts share the agents
// and the browser, and some tests are at work at a time, for most of it is waiting.

import { after, before, describe } from "node:test";
import answers from "./answers.mjs";
import behaviour from "./behaviour.mjs";
import evidence from "./evidence.mjs";
import everybody from "./everybody.mjs";
import front from "./front.mjs";
import hostile from "./hostile.mjs";
import paths from "./paths.mjs";
import { stage } from "./stage.mjs";

describe("page", { concurrency: 3 }, () => {
    before(() => stage.raise(), { timeout: 120000 });
    after(() => stage.lower(), { timeout: 120000 });
    for (const part of [everybody, behaviour, front, answers, paths, evidence, hostile]) {
        part();
    }
});
