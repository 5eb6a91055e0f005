"""One host's clock is 90 s ahead, as its agent and probers see it: found, and no figure wrong by it."""

import datetime

import together
from agent import merge
from announced import over_http, wait_for_mail_everywhere
from shifted_clock import ShiftedClock
from told import BUILD, QUICK, count, restart, wait_for_line

SHIFT = 90
WARNING = 3.0  # of QUICK


def shifted_clock(host):
    """A clock that is ahead, and a build for it."""
    place = host.directory / "shifted"
    place.mkdir()
    clock = ShiftedClock(place, BUILD)
    clock.set(SHIFT)
    (place / "agent").symlink_to(BUILD / "agent")
    return place, clock.environment


def start_with_a_shift(ahead, right, exchange):
    """Two agents between whom mail flows; the first one's clock is ahead."""
    for host, peer in ((ahead, right), (right, ahead)):
        settings = merge(QUICK, over_http([peer]) if exchange else {})
        host.write_agent_config([peer], settings)
    restart(ahead, *shifted_clock(ahead))
    restart(right)
    wait_for_mail_everywhere(ahead, right)


def seconds(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


def arrived(host, path):
    probes = host.api(f"probes?path={path.replace('>', '%3E')}&limit=500")["probes"]
    return {probe["id"]: probe for probe in probes if probe["state"] == "arrived"}


def is_negative(probe):
    """Says that a clock is wrong, and is no latency."""
    return probe["latency_seconds"] + probe["latency_error_seconds"] < 0


def assert_figures(sender, receiver, clock_of):
    """Both ends' latencies against the truth, which knows both clocks."""
    path = f"{sender.name}->{receiver.name}"
    sent, got = arrived(sender, path), arrived(receiver, path)
    known = sent.keys() & got.keys()
    worst, negative = 0.0, 0
    for identity in known:
        truth = (seconds(got[identity]["arrived"]) - clock_of[receiver.name]) - (
            seconds(sent[identity]["sent"]) - clock_of[sender.name])
        for probe in sent[identity], got[identity]:
            beside = abs(probe["latency_seconds"] - truth)
            assert probe["verdict"] == "on_time" or truth > WARNING
            if is_negative(probe):
                negative += 1
            else:
                assert beside <= probe["latency_error_seconds"] + 1e-5, (path, probe, truth)
                worst = max(worst, beside if probe["latency_error_seconds"] < 30 else 0.0)
    print(f"{path}: {len(known)} probes, wrong by {worst * 1000:.2f} ms at most, but for those "
          f"before the clocks were known, of which {negative} were negative")
    newest = sorted(known, key=lambda identity: got[identity]["arrived"])[-3:]
    assert not any(is_negative(ends[identity]) for identity in newest for ends in (sent, got))


def assert_found(host, peer, shift):
    """The offset within its error; said once."""
    wait_for_line(host, rf"clock FIRING .*server={peer.name} .*")
    labels = frozenset({("peer", peer.name)})
    figures = host.metrics()
    offset = figures["mailflow_clock_offset_seconds", labels]
    error = figures["mailflow_clock_error_seconds", labels]
    print(f"{host.name}: the clock of {peer.name} is {offset:+.6f} s ahead, within {error:.6f} s")
    assert abs(offset - shift) <= error
    assert count(host, r"clock FIRING .*") == 1
    return error


def live_with_a_shift(ahead, right, exchange):
    start_with_a_shift(ahead, right, exchange)
    errors = [assert_found(right, ahead, SHIFT), assert_found(ahead, right, -SHIFT)]
    wait_for_mail_everywhere(ahead, right, more=8)
    clock_of = {ahead.name: SHIFT, right.name: 0.0}
    for sender, receiver in ((ahead, right), (right, ahead)):
        assert_figures(sender, receiver, clock_of)
    return max(errors)


@together.on(hosts=2)
def test_a_shifted_clock_over_http(ahead, right):
    assert live_with_a_shift(ahead, right, exchange=True) < 1.0


@together.on(hosts=2)
def test_a_shifted_clock_by_mail_alone(ahead, right):
    live_with_a_shift(ahead, right, exchange=False)
