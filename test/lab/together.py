"""Tests of one module that run at the same time, each on lab hosts of its own.

What takes long in them is waiting; so the module takes no longer than its longest test.

    @together.on(hosts=2)
    def test_something(mx01, mx02):
        ...

conftest.py brings up one lab for all of them; the names of the parameters do not matter.
"""

import concurrent.futures
import contextlib


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


@contextlib.contextmanager
def running(tests, make_lab):
    """{test: future of its outcome}; at the end of the context all of them have ended."""
    hosts = iter(make_lab(sum(test.hosts for test in tests)))
    with concurrent.futures.ThreadPoolExecutor(len(tests)) as pool:
        yield {
            test: pool.submit(test.scenario, *(next(hosts) for _ in range(test.hosts)))
            for test in tests
        }
