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
export const OUTPUT = path.join(process.env.MAILFLOW_OUTPUT || path.join(ROOT, "build"), "page");
const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

const PATIENCE_MS = 60000; // for the agents, until they have ended

// Somebody has made or removed a network interface of this machine.
const NETWORK_CHANGED = "ERR_NETWORK_CHANGED";
export const WIDE = { width: 1280, height: 900 };
export const NARROW = { width: 360, height: 800 };

class Stage {
    // Both are waited for, whatever becomes of the other: lower() must find all that was started.
    async raise() {
        mkdirSync(OUTPUT, { recursive: true });
        const both = await Promise.allSettled([this.startAgents(), this.launch()]);
        const failed = both.find(({ status }) => status === "rejected");
        if (failed) {
            throw failed.reason;
        }
    }

    async startAgents() {
        this.agents = spawn("/usr/bin/python3", [path.join(HERE, "stage.py")], {
            stdio: ["pipe", "pipe", "inherit"],
            env: { ...process.env, PYTHONDONTWRITEBYTECODE: "1" },
        });
        this.lines = createInterface(this.agents.stdout)[Symbol.asyncIterator]();
        this.urls = JSON.parse(await this.hear());
    }

    async launch() {
        this.browser = await chromium.launch({
            executablePath: "/usr/bin/chromium",
            args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
                   "--disable-background-networking", "--disable-component-update",
                   "--disable-sync", "--disable-software-rasterizer",
                   "--renderer-process-limit=2"],
        });
        this.context = await this.newContext({});
    }

    async lower() {
        await this.browser?.close();
        const { agents } = this;
        agents.stdin.end();
        const lost = setTimeout(() => agents.kill("SIGKILL"), PATIENCE_MS);
        if (agents.exitCode === null && agents.signalCode === null) {
            await new Promise((resolve) => agents.once("exit", resolve));
        }
        clearTimeout(lost);
        if (agents.exitCode !== 0) {
            throw new Error(`the agents ended with ${agents.exitCode ?? agents.signalCode}`);
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

    // Policies that are violated are complaints, too.
    async newContext(options) {
        const context = await this.browser.newContext({
            viewport: WIDE, timezoneId: "UTC", ...options,
        });
        await context.addInitScript(() => {
            document.addEventListener("securitypolicyviolation", (event) =>
                console.error(`policy: ${event.violatedDirective} ${event.blockedURI}`));
        });
        return context;
    }

    // A page that notes whatever goes wrong in it, except what could not be loaded if it `mayFail`.
    // All share one context, for a browser is slow to make another; `alone` has its own, as has what
    // needs other options.
    async open(address, { agent = "troubled", mayFail = false, alone = false, ...options } = {}) {
        const own = alone || Object.keys(options).length > 0;
        const page = await (own ? await this.newContext(options) : this.context).newPage();
        const base = this.urls[agent];
        page.own = own;
        page.wrongs = [];
        page.on("console", (message) => {
            const words = message.text();
            const forgiven = words.includes(mayFail ? "Failed to load resource" : NETWORK_CHANGED);
            if (["error", "warning"].includes(message.type()) && !forgiven) {
                page.wrongs.push(`console: ${words}`);
            }
        });
        page.on("pageerror", (error) => page.wrongs.push(`error: ${error}`));
        page.on("request", (request) => {
            if (!request.url().startsWith(`${base}/`)) {
                page.wrongs.push(`request elsewhere: ${request.url()}`);
            }
        });
        page.on("response", (response) => {
            if (response.status() >= 400 && !mayFail) {
                page.wrongs.push(`${response.status()} ${response.url()}`);
            }
        });
        await page.goto(base + address).catch((error) => {
            if (!error.message.includes(NETWORK_CHANGED)) {
                throw error;
            }
            return page.goto(base + address);
        });
        return page;
    }

    async close(page) {
        await (page.own ? page.context() : page).close();
    }

    async shoot(page, name, options = {}) {
        await page.screenshot({ path: path.join(OUTPUT, `${name}.png`), ...options });
    }
}

// What axe finds, in words. It is put into the page past its policy, which is not for us. Of a
// table's rows that are alike a few will do.
export const findings = async (page, rules = null) => {
    const client = await page.context().newCDPSession(page);
    await client.send("Runtime.evaluate", { expression: `globalThis.axe || (() => {${AXE}})()` });
    const result = await page.evaluate((only) => {
        document.querySelectorAll("tbody tr:nth-child(n + 9)").forEach((row) => row.remove());
        return globalThis.axe.run(document, {
            runOnly: only || ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
            resultTypes: ["violations"],
        });
    }, rules);
    return result.violations.map(({ id, nodes }) =>
        `${id}: ${nodes.map(({ target, failureSummary }) => `${target} ${failureSummary}`).join("; ")}`);
};

export const stage = new Stage();
