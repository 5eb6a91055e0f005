// Draws a path's latency by Chart.js in the place of the drawing that came with the page. Where
// Chart.js or the data do not come, that one stays.
(() => {
    "use strict";

    const figure = document.getElementById("latency");
    if (!figure || typeof Chart === "undefined") {
        return;
    }
    const REFRESH_MS = 15000;
    const TICKS = [
        [1e-4, "0.1 ms"], [1e-3, "1 ms"], [0.01, "10 ms"], [0.1, "100 ms"], [1, "1 s"],
        [10, "10 s"], [60, "1 min"], [600, "10 min"], [3600, "1 h"], [36000, "10 h"],
        [345600, "4 d"], [3456000, "40 d"],
    ];
    const STEPS = [10, 60, 240, 1440, 7200].map((minutes) => minutes * 60000);
    const HELD = new Set(["excused", "drained"]);
    const FATAL = new Set(["lost", "bounced"]);
    let chart = null;
    let drawn = 0;

    const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
    const faint = (name, part) => `color-mix(in srgb, ${colour(name)} ${part}%, transparent)`;
    const milliseconds = (time) => new Date(time).getTime();
    const stamp = (at) => new Date(at).toISOString().slice(0, 19).replace("T", " ");

    const span = (seconds) =>
        seconds < 1 ? `${(seconds * 1000).toFixed(0)} ms`
        : seconds < 100 ? `${Number.isInteger(seconds) ? seconds : seconds.toPrecision(3)} s`
        : seconds < 3600 ? `${Math.floor(seconds / 60)} min ${Math.floor(seconds % 60)} s`
        : `${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} min`;

    // ---- scales ----

    const bounds = (data) => {
        const values = [data.warning_seconds];
        for (const bucket of data.buckets) {
            if (bucket.count > 0 && bucket.p5 > 0) {
                values.push(bucket.p5, bucket.p95);
            }
        }
        for (const mark of data.marks) {
            if (mark.latency_seconds > 0) {
                values.push(mark.latency_seconds);
            }
        }
        const least = Math.min(...values);
        const greatest = Math.max(...values);
        const ticks = TICKS.map(([seconds]) => seconds);
        const first = Math.max(0, ticks.filter((tick) => tick <= least).length - 1);
        const last = Math.max(first + 1, ticks.findIndex((tick) => tick >= greatest));
        return { min: ticks[first], max: ticks[last] };
    };

    const timeTicks = (from, to) => {
        const step = STEPS.find((each) => each * 8 >= to - from) || STEPS[STEPS.length - 1];
        const ticks = [];
        for (let at = Math.ceil(from / step) * step; at <= to; at += step) {
            ticks.push({ value: at });
        }
        return ticks;
    };

    const scales = (data) => {
        const from = milliseconds(data.from);
        const to = milliseconds(data.to);
        const days = to - from > 3 * 86400000;
        const grid = { color: colour("--line"), borderColor: colour("--line") };
        return {
            x: {
                type: "linear", min: from, max: to, grid: { ...grid, drawOnChartArea: false },
                afterBuildTicks: (axis) => { axis.ticks = timeTicks(from, to); },
                ticks: {
                    color: colour("--soft"), maxRotation: 0, autoSkip: true,
                    callback: (at) => stamp(at).slice(...(days ? [5, 10] : [11, 16])),
                },
            },
            y: {
                type: "logarithmic", ...bounds(data), grid,
                afterBuildTicks: (axis) => {
                    axis.ticks = TICKS.filter(([seconds]) => seconds >= axis.min && seconds <= axis.max)
                        .map(([seconds]) => ({ value: seconds }));
                },
                ticks: {
                    color: colour("--soft"),
                    callback: (value) => (TICKS.find(([seconds]) => seconds === value) || [0, ""])[1],
                },
            },
        };
    };

    // ---- what is drawn ----

    const line = (data, quantile, more) => ({
        data: data.buckets.map((bucket) => ({
            x: milliseconds(bucket.at) + data.bucket_seconds * 500,
            y: bucket.count > 0 && bucket[quantile] > 0 ? bucket[quantile] : null,
            bucket,
        })),
        pointRadius: 0, pointHitRadius: 0, borderWidth: 0, tension: 0.2, spanGaps: false, ...more,
    });

    const points = (data, wanted, style, size, tint) => ({
        type: "scatter",
        data: data.marks.filter(wanted).map((mark) => ({
            x: milliseconds(mark.at), y: mark.latency_seconds || bounds(data).max, mark,
        })),
        pointStyle: style, radius: size, hoverRadius: size + 3, borderWidth: 2,
        borderColor: colour(tint), backgroundColor: colour(tint), clip: false,
    });

    const datasets = (data) => [
        line(data, "p95", { backgroundColor: faint("--smoke", 16), fill: "+1" }),
        line(data, "p5", {}),
        line(data, "p75", { backgroundColor: faint("--smoke", 28), fill: "+1" }),
        line(data, "p25", {}),
        line(data, "p50", {
            borderColor: colour("--smoke"), borderWidth: 1.8, pointHitRadius: 12,
            pointRadius: (at) => (isAlone(data.buckets, at.dataIndex) ? 2 : 0),
            pointBackgroundColor: colour("--smoke"),
        }),
        points(data, (mark) => HELD.has(mark.verdict), "rectRot", 6, "--calm"),
        points(data, (mark) => mark.verdict === "late", "triangle", 6, "--warn"),
        points(data, (mark) => FATAL.has(mark.verdict), "crossRot", 6, "--bad"),
    ];

    const isAlone = (buckets, index) =>
        ![index - 1, index + 1].some((at) => buckets[at] && buckets[at].count > 0);

    // Maintenance behind, the threshold in front, how many one mark stands for beside it.
    const frame = {
        id: "frame",
        beforeDatasetsDraw: ({ ctx, chartArea, scales: { x } }, _, { data }) => {
            ctx.save();
            ctx.fillStyle = faint("--soft", 22);
            for (const window of data.windows) {
                const left = Math.max(chartArea.left, x.getPixelForValue(milliseconds(window.begin)));
                const right = Math.min(chartArea.right, x.getPixelForValue(milliseconds(window.end)));
                ctx.fillRect(left, chartArea.top, Math.max(2, right - left), chartArea.height);
            }
            ctx.restore();
        },
        afterDatasetsDraw: ({ ctx, chartArea, scales: { x, y } }, _, { data }) => {
            const at = y.getPixelForValue(data.warning_seconds);
            ctx.save();
            ctx.strokeStyle = ctx.fillStyle = colour("--warn");
            ctx.font = "12px system-ui, sans-serif";
            ctx.setLineDash([4, 4]);
            ctx.beginPath();
            ctx.moveTo(chartArea.left, at);
            ctx.lineTo(chartArea.right, at);
            ctx.stroke();
            ctx.textAlign = "left"; // away from the newest marks
            ctx.fillText(`late after ${span(data.warning_seconds)}`, chartArea.left + 6,
                         at - chartArea.top < 16 ? at + 14 : at - 5);
            ctx.fillStyle = colour("--ink");
            for (const mark of data.marks.filter(({ count, latency_seconds: y }) => count > 1 && y)) {
                ctx.fillText(`\u00d7${mark.count}`, x.getPixelForValue(milliseconds(mark.at)) + 10,
                             y.getPixelForValue(mark.latency_seconds) + 4);
            }
            ctx.restore();
        },
    };

    const words = ({ raw }) => {
        if (raw.mark) {
            const { mark } = raw;
            const many = mark.count > 1 ? `${mark.count} at once, the longest ` : "";
            const took = mark.latency_seconds ? span(mark.latency_seconds) : "never arrived";
            return `${mark.verdict}: ${many}${took}`;
        }
        const { bucket } = raw;
        return `median ${span(bucket.p50)}, nine in ten ${span(bucket.p5)} to ${span(bucket.p95)}`;
    };

    const options = (data) => ({
        animation: false, maintainAspectRatio: false, scales: scales(data),
        interaction: { mode: "nearest", intersect: true },
        onClick: (_, [hit]) => {
            const at = hit && chart.data.datasets[hit.datasetIndex].data[hit.index];
            if (at && at.mark) {
                location.href = `/probe?id=${at.mark.probe}`;
            }
        },
        plugins: {
            legend: { display: false },
            frame: { data },
            tooltip: {
                displayColors: false,
                callbacks: { title: ([{ parsed }]) => `${stamp(parsed.x)} UTC`, label: words },
            },
        },
    });

    // ---- drawing it ----

    const place = () => {
        const holder = document.createElement("div");
        const canvas = document.createElement("canvas");
        holder.className = "canvas";
        canvas.setAttribute("role", "img");
        canvas.setAttribute("aria-label", figure.querySelector(".chart").getAttribute("aria-label"));
        holder.append(canvas);
        figure.prepend(holder);
        figure.dataset.own = "yes"; // page.js leaves it alone
        figure.classList.add("drawn");
        return canvas;
    };

    const draw = async () => {
        const answer = await fetch(figure.dataset.source, { cache: "no-store" }).catch(() => null);
        if (!answer || !answer.ok) {
            return;
        }
        const data = await answer.json();
        drawn = Date.now();
        if (chart) {
            chart.data.datasets = datasets(data);
            chart.options = options(data);
            chart.update("none");
        } else {
            chart = new Chart(place(), {
                type: "line", data: { datasets: datasets(data) }, options: options(data),
                plugins: [frame],
            });
        }
    };

    document.addEventListener("mailflow:refreshed", () => {
        if (Date.now() - drawn >= REFRESH_MS) {
            draw();
        }
    });
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
    draw();
})();
