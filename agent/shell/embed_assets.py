"""Makes a C source of the files that the page loads: each as it is and, where that is smaller,
compressed, with the version by which a browser knows whether it has it.
Usage: embed_assets.py assets_data.c FILE..."""

import gzip
import hashlib
import sys
from pathlib import Path

TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
NAMES = {"chart.min.js": "chart.js"}  # as it is asked for


def c_array(name, content):
    lines = (content[start : start + 24] for start in range(0, len(content), 24))
    body = "\n".join("    " + "".join(f"{byte}," for byte in line) for line in lines)
    return f"static const unsigned char {name}[] = {{\n{body}\n}};\n"


def main(target, *files):
    arrays, rows = [], []
    for number, file in enumerate(map(Path, files)):
        content = file.read_bytes()
        packed = gzip.compress(content, 9, mtime=0)
        version = hashlib.sha256(content).hexdigest()[:16]
        arrays += [c_array(f"PLAIN_{number}", content), c_array(f"PACKED_{number}", packed)]
        rows.append(
            f'    {{"{NAMES.get(file.name, file.name)}", "{TYPES[file.suffix]}",\n'
            f'     "\\"{version}\\"", "\\"{version}-gzip\\"",\n'
            f"     PLAIN_{number}, sizeof PLAIN_{number}, PACKED_{number}, sizeof PACKED_{number}}},\n"
        )
    Path(target).write_text(
        '#include "shell/assets.h"\n\n'
        + "".join(arrays)
        + "const struct asset ASSETS[] = {\n"
        + "".join(rows)
        + "};\nconst size_t ASSET_COUNT = sizeof ASSETS / sizeof ASSETS[0];\n",
        encoding="utf-8",
    )


main(*sys.argv[1:])
