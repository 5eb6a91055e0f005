"""Curves over a logarithmic axis, one panel each, as an SVG file: no more than the benchmarks need."""

import dataclasses
import math
from html import escape

WIDTH, HEIGHT = 380, 270
LEFT, RIGHT, TOP, BOTTOM = 58, 20, 44, 44
COLOURS = ("#1f5fa8", "#c2571a", "#3f7d3a", "#7a4b9c")
STYLE = ("text{font:12px sans-serif;fill:#333}.title{font-weight:600;font-size:13px}"
         ".soft{fill:#777;font-size:11px}.grid{stroke:#e4e4e4}.limit{stroke:#b00;stroke-dasharray:5 4}"
         "path{fill:none;stroke-width:2}")


@dataclasses.dataclass
class Panel:
    title: str
    unit: str
    curves: dict  # {name: [(x, y), ...]}, y above 0
    limit: float = 0  # a line, where there is one
    limit_name: str = ""


def decades(values):
    """Powers of ten around them."""
    low = math.floor(math.log10(min(values)) + 1e-9)
    high = math.ceil(math.log10(max(values)) - 1e-9)
    return low, max(high, low + 1)


def number(value):
    return f"{value:,.0f}" if value >= 1 else f"{value:g}"


def label(value):
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


class Axes:
    def __init__(self, panel):
        points = [point for curve in panel.curves.values() for point in curve]
        self.x = decades([x for x, _ in points])
        self.y = decades([y for _, y in points] + ([panel.limit] if panel.limit else []))

    def at(self, x, y):
        return (LEFT + (math.log10(x) - self.x[0]) / (self.x[1] - self.x[0]) * (WIDTH - LEFT - RIGHT),
                HEIGHT - BOTTOM - (math.log10(y) - self.y[0]) / (self.y[1] - self.y[0])
                * (HEIGHT - TOP - BOTTOM))

    def grid(self):
        for power in range(self.x[0], self.x[1] + 1):
            x, _ = self.at(10.0**power, 10.0 ** self.y[0])
            yield f'<line class="grid" x1="{x:.1f}" y1="{TOP}" x2="{x:.1f}" y2="{HEIGHT - BOTTOM}"/>'
            yield (f'<text class="soft" text-anchor="middle" x="{x:.1f}" y="{HEIGHT - BOTTOM + 16}">'
                   f"{number(10.0**power)}</text>")
        for power in range(self.y[0], self.y[1] + 1):
            _, y = self.at(10.0 ** self.x[0], 10.0**power)
            yield f'<line class="grid" x1="{LEFT}" y1="{y:.1f}" x2="{WIDTH - RIGHT}" y2="{y:.1f}"/>'
            yield (f'<text class="soft" text-anchor="end" x="{LEFT - 6}" y="{y + 4:.1f}">'
                   f"{number(10.0**power)}</text>")


def curve_parts(axes, curve, colour):
    places = [axes.at(x, y) for x, y in curve]
    line = " ".join(f"{x:.1f} {y:.1f}" for x, y in places)
    yield f'<path stroke="{colour}" d="M{line}"/>'
    for (x, y), (_, value) in zip(places, curve):
        yield f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.5" fill="{colour}"/>'
        yield (f'<text class="soft" text-anchor="middle" x="{x:.1f}" y="{y - 8:.1f}">'
               f"{label(value)}</text>")


def panel_parts(panel, x_title):
    axes = Axes(panel)
    yield f'<text class="title" x="{LEFT}" y="18">{escape(panel.title)}, {escape(panel.unit)}</text>'
    yield from axes.grid()
    if panel.limit:
        _, y = axes.at(10.0 ** axes.x[0], panel.limit)
        yield f'<line class="limit" x1="{LEFT}" y1="{y:.1f}" x2="{WIDTH - RIGHT}" y2="{y:.1f}"/>'
        yield (f'<text class="soft" x="{LEFT + 4}" y="{y - 4:.1f}">'
               f"{escape(panel.limit_name)}</text>")
    x = LEFT
    for (name, curve), colour in zip(panel.curves.items(), COLOURS):
        yield from curve_parts(axes, curve, colour)
        if len(panel.curves) > 1:
            yield f'<text x="{x}" y="34" style="fill:{colour}">{escape(name)}</text>'
            x += 9 * len(name) + 12
    yield (f'<text class="soft" text-anchor="middle" x="{(LEFT + WIDTH - RIGHT) / 2}" '
           f'y="{HEIGHT - 8}">{escape(x_title)}</text>')


def write(file, panels, x_title, columns=2):
    rows = (len(panels) + columns - 1) // columns
    width, height = columns * WIDTH, rows * HEIGHT
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
             f'width="{width}" height="{height}">', f"<style>{STYLE}</style>",
             f'<rect width="{width}" height="{height}" fill="#fff"/>']
    for place, panel in enumerate(panels):
        x, y = place % columns * WIDTH, place // columns * HEIGHT
        parts.append(f'<g transform="translate({x} {y})">')
        parts += panel_parts(panel, x_title)
        parts.append("</g>")
    file.write_text("\n".join([*parts, "</svg>"]) + "\n")
