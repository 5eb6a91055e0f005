"""mailflowd when its machine's clock is set, an hour ahead and back, while mail is under way."""

import threading

from daemon import BUILD, ID, Daemon, PostOffice, probe_text, wait_for
from shifted_clock import ShiftedClock

HOUR = 3600
ARRIVED = "probe ARRIVED path=mx02->mx01 .*"


class SlowOffice(PostOffice):
    """Takes half a second for each message, so that one is under way about half of the time."""

    def put(self, headers):
        threading.Timer(0.5, super().put, [headers]).start()


def verdicts(daemon):
    return {probe_text(identity): verdict
            for identity, verdict in daemon.ledger("SELECT id, verdict FROM probes")}


def test_a_clock_that_steps_loses_no_probe_and_alerts_nobody(tmp_path):
    clock = ShiftedClock(tmp_path, BUILD)
    # Far below an hour, and far above what a slow machine takes.
    patience = {"defaults": {"latency": {"warning": "30s", "critical": "60s"}},
                "incidents": {"blind_after": "30s"}}
    with SlowOffice() as office:
        daemon = Daemon(tmp_path, office, **patience)
        with daemon.start(probers=clock.probers, **clock.environment):
            for said, shift in enumerate((HOUR, 0), 1):
                daemon.wait(ARRIVED, count=daemon.count(ARRIVED) + 1)
                clock.set(shift)
                _, match = daemon.wait(r"clock STEPPED .*\bstep=(\S+)s.*", count=said)
                assert abs(abs(float(match[1])) - HOUR) < 1
            daemon.wait(ARRIVED, count=daemon.count(ARRIVED) + 2)
            handed_over = {ID.search(content)[1].decode() for content in office.contents}
            assert len(handed_over) >= 4
            wait_for(lambda: {verdicts(daemon)[probe] for probe in handed_over} == {"on_time"},
                     20, "all of them on time")
            alerts = daemon.found("[a-z]+ (FIRING|FLAPPING) .*")
            assert not alerts, alerts
