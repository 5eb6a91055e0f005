// The agents that are looked at (stage.py) and the browser that looks: one of each for all tests.

import { mkdirSync, readFileSync } from "node:fs";
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { createRequire } from "node:module";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";

const HERE = path.dirname(fileURLToPath(import.meta.url));
const ROOT = path.resolve(HERE, "../..");
const OUTPUT = path.join(process.env.MAILFLOW_OUTPUT || path.join(ROOT, "build"), "page");
const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

class Stage {
    async raise() {
        mkdirSync(OUTPUT, { recursive: true });
        this.agents = spawn("/usr/bin/python3", [path.join(HERE, "stage.py")], {
            stdio: ["pipe", "pipe", "inherit"],
            env: { ...process.env, PYTHONDONTWRITEBYTECODE: "1" },
        });
        this.lines = createInterface(this.agents.stdout)[Symbol.asyncIterator]();
        this.urls = JSON.parse(await this.hear());
        this.browser = await chromium.launch({
            executablePath: "/usr/bin/chromium",
            args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
                   "--disable-background-networking", "--disable-component-update",
                   "--disable-sync"],
        });
    }

    async lower() {
        await this.browser?.close();
        this.agents.stdin.end();
        if (this.agents.exitCode === null) {
            await new Promise((resolve) => this.agents.once("exit", resolve));
        }
        if (this.agents.exitCode !== 0) {
            throw new Error(`the agents ended with ${this.agents.exitCode}`);
        }
    }

    async hear() {
        const { value, done } = await this.lines.next();
        if (done) {
            throw new Error("the agents did not come up");
        }
        return value;
    }

    // "stop" or "start" an agent.
    async order(word, name) {
        this.agents.stdin.write(`${word} ${name}\n`);
        await this.hear();
    }

    // A page that notes whatever goes wrong in it.
    async open(address, options = {}) {
        const { agent = "troubled", ...rest } = options;
        const context = await this.browser.newContext({
            viewport: { width: 1280, height: 900 }, timezoneId: "UTC", ...rest,
        });
        const page = await context.newPage();
        const base = this.urls[agent];
        page.wrongs = [];
        page.on("console", (message) => {
            if (["error", "warning"].includes(message.type())) {
                page.wrongs.push(`console: ${message.text()}`);
            }
        });
        page.on("pageerror", (error) => page.wrongs.push(`error: ${error}`));
        page.on("request", (request) => {
            if (!request.url().startsWith(`${base}/`)) {
                page.wrongs.push(`request elsewhere: ${request.url()}`);
            }
        });
        page.on("response", (response) => {
            if (response.status() >= 400 && !options.mayFail) {
                page.wrongs.push(`${response.status()} ${response.url()}`);
            }
        });
        await context.addInitScript(() => {
            document.addEventListener("securitypolicyviolation", (event) =>
                console.error(`policy: ${event.violatedDirective} ${event.blockedURI}`));
        });
        await page.goto(base + address);
        return page;
    }

    async shoot(page, name, options = {}) {
        await page.screenshot({ path: path.join(OUTPUT, `${name}.png`), ...options });
    }
}

// What axe finds, in words. It is put into the page past its policy, which is not for us.
export const findings = async (page, rules = null) => {
    const client = await page.context().newCDPSession(page);
    await client.send("Runtime.evaluate", { expression: AXE });
    const result = await page.evaluate((only) => globalThis.axe.run(document, {
        runOnly: only || ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    }), rules);
    return result.violations.map(({ id, nodes }) =>
        `${id}: ${nodes.map(({ target, failureSummary }) => `${target} ${failureSummary}`).join("; ")}`);
};

export const stage = new Stage();
