"""Tests of one module that run at the same time, each on lab hosts of its own.

What takes long in them is waiting; so a module takes hardly longer than its longest tests.

    @together.on(hosts=2)
    def test_something(mx01, mx02):
        ...

conftest.py brings up a lab for each batch of them; the names of the parameters do not matter.
"""

import concurrent.futures
import contextlib
import os
import threading


def on(hosts):
    """The function becomes a test that gets `hosts` hosts of a lab that its module shares."""

    def decorate(function):
        def test(under_way):
            under_way[test].result()

        test.scenario, test.hosts = function, hosts
        test.__name__, test.__doc__ = function.__name__, function.__doc__
        test.__module__ = function.__module__
        return test

    return decorate


def tests_of(module, items):
    """Those of the collected tests that are to run together in this module."""
    chosen = (item.function for item in items if item.module is module)
    return [test for test in chosen if hasattr(test, "scenario")]


def batches_of(tests):
    """In their order, so many at a time as the machine can feed: a host is two mail servers and
    an agent, and its timings are seconds.
    """
    most = 3 * (os.cpu_count() or 2)
    batch = []
    for test in tests:
        if batch and sum(one.hosts for one in [*batch, test]) > most:
            yield batch
            batch = []
        batch.append(test)
    if batch:
        yield batch


def live(test, hosts, future):
    try:
        future.set_result(test.scenario(*hosts))
    except BaseException as problem:  # the test that waits for it shall have it
        future.set_exception(problem)


def run_batch(batch, futures, make_lab):
    lab = make_lab(sum(test.hosts for test in batch))
    hosts = iter(lab)
    with concurrent.futures.ThreadPoolExecutor(len(batch)) as pool:
        for test in batch:
            pool.submit(live, test, [next(hosts) for _ in range(test.hosts)], futures[test])
    lab.down()


def run_batches(batches, futures, make_lab):
    for batch in batches:
        try:
            run_batch(batch, futures, make_lab)
        except BaseException as problem:  # no lab
            for test in batch:
                if not futures[test].done():
                    futures[test].set_exception(problem)


@contextlib.contextmanager
def running(tests, make_lab):
    """{test: future of its outcome}; at the end of the context all of them have ended."""
    futures = {test: concurrent.futures.Future() for test in tests}
    runner = threading.Thread(target=run_batches, args=(list(batches_of(tests)), futures, make_lab))
    runner.start()
    yield futures
    runner.join()
