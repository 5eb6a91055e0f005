// Keeps a view up to date without loading it again: asks for the same page every few seconds and
// takes over what has changed, element by element, so that focus, scroll position, selection and
// what is folded open stay as they are. Says plainly when the agent does not answer. Rests while
// nobody looks.
(() => {
    "use strict";

    const PAUSE_MS = 5000;
    const PATIENCE_MS = 10000;
    const KEPT = new Set(["open"]); // attributes that are the reader's
    const asOf = document.getElementById("as-of");
    const missing = document.getElementById("answer");
    let answered = new Date(document.body.dataset.now); // the agent's clock
    let ahead = answered - Date.now(); // of ours
    let timer = 0;

    const clock = (date) => date.toISOString().slice(11, 19);

    // ---- taking over ----

    const isSelected = (node) => {
        const selection = document.getSelection();
        return selection && !selection.isCollapsed && selection.containsNode(node, true);
    };

    const sameKind = (old, fresh) =>
        old.nodeType === fresh.nodeType && old.nodeName === fresh.nodeName &&
        (old.id || "") === (fresh.id || "");

    const takeAttributes = (old, fresh) => {
        for (const { name } of [...old.attributes]) {
            if (!fresh.hasAttribute(name) && !KEPT.has(name)) {
                old.removeAttribute(name);
            }
        }
        for (const { name, value } of fresh.attributes) {
            if (old.getAttribute(name) !== value && !KEPT.has(name)) {
                old.setAttribute(name, value);
            }
        }
    };

    // A following sibling that is the same, so that what came in between is put in and what went is
    // taken out.
    const findSame = (old, fresh) => {
        for (let at = old; at; at = at.nextSibling) {
            if (fresh.id && at.id === fresh.id) {
                return at;
            }
        }
        return old && sameKind(old, fresh) ? old : null;
    };

    const takeChildren = (old, fresh) => {
        let at = old.firstChild;
        for (const child of [...fresh.childNodes]) {
            const same = findSame(at, child);
            while (same && at !== same) {
                const gone = at;
                at = at.nextSibling;
                gone.remove();
            }
            if (same) {
                at = same.nextSibling;
                takeOver(same, child);
            } else {
                old.insertBefore(document.importNode(child, true), at);
            }
        }
        while (at) {
            const gone = at;
            at = at.nextSibling;
            gone.remove();
        }
    };

    const takeOver = (old, fresh) => {
        if (old.nodeType === Node.TEXT_NODE) {
            if (old.data !== fresh.data && !isSelected(old)) {
                old.data = fresh.data;
            }
        } else if (old.nodeType === Node.ELEMENT_NODE && !old.dataset.own) {
            takeAttributes(old, fresh);
            takeChildren(old, fresh);
        }
    };

    // ---- asking ----

    // Only what changes is announced to those who listen.
    const say = (element, words) => {
        if (element.textContent !== words) {
            element.textContent = words;
        }
    };

    const ask = async () => {
        const patience = new AbortController();
        const limit = setTimeout(() => patience.abort(), PATIENCE_MS);
        try {
            const answer = await fetch(location.href, { signal: patience.signal, cache: "no-store" });
            return answer.ok ? await answer.text() : null;
        } catch {
            return null;
        } finally {
            clearTimeout(limit);
        }
    };

    const refresh = async () => {
        const text = await ask();
        const page = text && new DOMParser().parseFromString(text, "text/html");
        const main = page && page.getElementById("main");
        if (main) {
            answered = new Date(page.body.dataset.now);
            ahead = answered - Date.now();
            document.title = page.title;
            takeOver(document.getElementById("main"), main);
            say(asOf, `As of ${clock(answered)} UTC, live`);
            say(missing, "");
            document.dispatchEvent(new Event("mailflow:refreshed"));
        } else {
            say(missing, `No answer since ${clock(answered)} UTC`);
        }
    };

    const turn = async () => {
        clearTimeout(timer);
        if (document.hidden) {
            return;
        }
        await refresh();
        clearTimeout(timer);
        timer = setTimeout(turn, PAUSE_MS);
    };

    // ---- countdowns ----

    const two = (seconds, large, largeName, small, smallName) => {
        const rest = Math.floor((seconds % large) / small);
        return `${Math.floor(seconds / large)} ${largeName}${rest > 0 ? ` ${rest} ${smallName}` : ""}`;
    };

    const duration = (seconds) =>
        seconds < 100 ? `${seconds} s`
        : seconds < 3600 ? two(seconds, 60, "min", 1, "s")
        : seconds < 86400 ? two(seconds, 3600, "h", 60, "min")
        : two(seconds, 86400, "d", 3600, "h");

    const countDown = () => {
        for (const element of document.querySelectorAll("[data-until]")) {
            const left = Math.floor((new Date(element.dataset.until) - Date.now() - ahead) / 1000);
            const words = left > 0 ? `in ${duration(left)}` : "now";
            if (element.textContent !== words && !isSelected(element)) {
                element.firstChild.data = words;
            }
        }
    };

    document.addEventListener("visibilitychange", turn);
    setInterval(countDown, 1000);
    timer = setTimeout(turn, PAUSE_MS);
})();
