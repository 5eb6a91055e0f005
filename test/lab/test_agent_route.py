"""The way that probes take: hop by hop, another than it was, slow at one of its hops."""

import together
from told import lines, start_pair, wait_for_arrivals, wait_for_line
from ways import as_text, delaying, newest_arrival, relays_for, send_by, way_of

DELAY = 6  # seconds: less than Postfix waits for a greeting
LATE = {"defaults": {"latency": {"warning": "3s", "critical": "15s"}}}  # and so not silent


def hosts_of(way):
    return way["route"]["hosts"]


@together.on(hosts=3)
def test_a_slow_hop_is_the_one_named(mx01, mx02, mx03):
    start_pair(mx01, mx02, **LATE)
    probe = newest_arrival(mx02, mx01)
    straight = way_of(mx02, probe)
    assert hosts_of(straight) == [mx01.domain, mx02.domain]
    by = {hop["by"]: hop for hop in straight["hops"]}
    assert by[mx01.domain]["queue_id"] and by[mx02.domain]["queue_id"]
    first = next(hop for hop in straight["hops"] if hop["by"] == mx02.domain)
    assert first["protocol"] == "ESMTPS" and first["tls"].startswith("TLSv1.3 TLS_AES_")
    assert not any(hop["slowest"] for hop in straight["hops"])
    assert all(abs(hop["delta_seconds"]) <= 2 for hop in straight["hops"]), straight["hops"]

    relays_for(mx03, mx02, mx01)
    with delaying(mx03, 2525, "127.0.0.1:25", DELAY):
        send_by(mx01, mx02, mx03, 2525)
        hop = rf"hop={mx03.domain} hop_delay=(\d+)s hop_from={mx01.domain}"
        path = f"{mx01.name}->{mx02.name}"
        line = rf"slow FIRING severity=\w+ path={path} .* probe=(\S+) .*{hop}.*"
        found = wait_for_line(mx02, line, seconds=90)[1]
        assert DELAY - 1 <= int(found[2]) <= DELAY + 8, found[0]
        explained = mx02.ctl("explain", found[1], check=True).stdout
        slowest = [text for text in explained.splitlines() if text.rstrip().endswith("slowest")]
        assert len(slowest) == 1 and slowest[0].split()[0] == mx03.domain, explained
        evidence = next(i for i in mx02.api("incidents")["incidents"] if i["kind"] == "slow")
        assert evidence["evidence"]["hop"] == mx03.domain
        assert hosts_of(mx02.api(f"probes/{found[1]}")) == [
            mx01.domain,
            mx03.domain,
            mx02.domain,
        ]
        print(f"a hop slowed by {DELAY} s: {found[0]}")
        print(explained)
    send_by(mx01, mx02, None)
    wait_for_line(mx02, rf"slow RESOLVED severity=\w+ path={path} .*", seconds=90)
    wait_for_arrivals(mx01, mx02)
    assert as_text(newest_arrival(mx02, mx01)) and lines(mx02)
