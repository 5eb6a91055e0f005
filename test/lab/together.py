"""Lab tests that run at the same time, each on a lab of its own, whatever their module.

What takes long in them is waiting; so a run takes hardly longer than the machine is busy with it.

    @together.on(hosts=2)
    def test_something(mx01, mx02):
        ...

conftest.py begins them all with the run, beside the other tests; those that take long begin first.
The names of the parameters do not matter.
"""

import concurrent.futures
import contextlib
import os
import threading

# As many as the machine can feed: a host is two mail servers and an agent, its timings are seconds.
HOSTS_AT_A_TIME = 4 * (os.cpu_count() or 2)

# Those that failed beside others are repeated alone.
ONE_BY_ONE = "MAILFLOW_ONE_BY_ONE" in os.environ


def on(hosts, long=False):
    """The function becomes a test that gets `hosts` hosts of a new lab; `long` is half a minute."""

    def decorate(function):
        def test(under_way):
            under_way[test].result()

        test.scenario, test.hosts, test.long = function, hosts, long
        test.__name__, test.__doc__ = function.__name__, function.__doc__
        test.__module__ = function.__module__
        return test

    return decorate


def is_meant(item):
    """Whether a collected test is one of them."""
    return hasattr(item.function, "scenario")


class Places:
    """So many hosts may be up; tests take theirs in their order, and give them back."""

    def __init__(self, count):
        self.free = count
        self.changed = threading.Condition()

    def take(self, count):
        with self.changed:
            self.changed.wait_for(lambda: self.free >= count)
            self.free -= count

    def give(self, count):
        with self.changed:
            self.free += count
            self.changed.notify()


def live(test, make_lab, future):
    try:
        with make_lab(test.hosts) as lab:
            outcome = test.scenario(*lab)
        future.set_result(outcome)
    except BaseException as problem:  # the test that waits for it shall have it
        future.set_exception(problem)


def run_all(futures, make_lab, is_over):
    """First the long ones and those that need much room: no long end remains with few under way."""
    places = Places(HOSTS_AT_A_TIME)

    def wanted_by(test):
        return HOSTS_AT_A_TIME if ONE_BY_ONE else test.hosts

    def run(test):
        live(test, make_lab, futures[test])
        places.give(wanted_by(test))

    with concurrent.futures.ThreadPoolExecutor(HOSTS_AT_A_TIME) as pool:
        for test in sorted(futures, key=lambda test: (not test.long, -test.hosts)):
            places.take(wanted_by(test))
            if is_over.is_set():
                return
            pool.submit(run, test)


@contextlib.contextmanager
def running(tests, make_lab):
    """{test: future of its outcome}; at the end of the context all that have begun have ended."""
    futures = {test: concurrent.futures.Future() for test in tests}
    is_over = threading.Event()
    runner = threading.Thread(target=run_all, args=(futures, make_lab, is_over))
    runner.start()
    try:
        yield futures
    finally:
        is_over.set()
        runner.join()
