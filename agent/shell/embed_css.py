"""Makes a C header of a style sheet: its text, and the hash by which a Content-Security-Policy
admits it. Usage: embed_css.py page.css page_css.h"""

import base64
import hashlib
import sys
from pathlib import Path


def c_lines(text):
    for line in text.splitlines(keepends=True):
        escaped = line.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
        yield f'    "{escaped}"'


def main(source, target):
    text = Path(source).read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
    Path(target).write_text(
        f"static const char PAGE_CSS[] =\n{chr(10).join(c_lines(text))};\n"
        f'#define PAGE_CSS_SHA256 "{digest}"\n',
        encoding="utf-8",
    )


main(*sys.argv[1:])
