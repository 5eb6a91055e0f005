"""How long a scrape takes beside a thousand slow HTTP clients, and what they cost in memory.

In the manners of test/system/crowd.py, once from one address and once from as many as there are.
"""

import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "system"))

import rows  # noqa: E402
from daemon import PostOffice  # noqa: E402
from test_http_crowd import CROWD, MARK, MEMORY, describe, scrapes_beside_a_crowd  # noqa: E402


def measure():
    for addresses in ("one", "many"):
        with tempfile.TemporaryDirectory() as home, PostOffice() as office:
            found = scrapes_beside_a_crowd(Path(home), office, addresses)
        print(f"  {CROWD} of {addresses} address: {describe(found)}", flush=True)
        place = f"{CROWD} slow clients of {addresses} address"
        for way in ("tcp", "control"):
            median = found[way][0]
            ratio = f"{median / found['quiet'][0]:.1f} of one without them"
            yield rows.at_most(f"scrape over {way}, {place}", MARK * 1e3, median * 1e3, "ms",
                               detail=ratio, firm=False)
        yield rows.at_most(f"memory (PSS) of {place}", MEMORY, found["more"], "MiB")


if __name__ == "__main__":
    sys.exit(rows.conclude(measure))
