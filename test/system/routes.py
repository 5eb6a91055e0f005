"""What can be asked for over HTTP, by the product's own table."""

import collections
import subprocess

from daemon import BUILD

Route = collections.namedtuple("Route", "method path signed")


def routes():
    """All of them; a path that ends with a slash wants an id behind it."""
    listed = subprocess.check_output([BUILD / "test/unit/list_routes"], text=True)
    words = [line.split() for line in listed.splitlines()]
    return [Route(one[0], one[1], one[2:] == ["signed"]) for one in words]


def writing():
    return [route for route in routes() if route.method != "GET"]
