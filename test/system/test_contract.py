"""config/openapi.yaml against the agent: all that is answered is described, all that is described is
answered. (Each test that asks a Daemon holds the answers against it, too: contract.py.)"""

import contextlib
import http.client
import json
import re
import socket

import jsonschema
import pytest

import contract
import control_answers
import exchange
from ctl import ctl
from daemon import Daemon, wait_for
from dovecot import free_port
from process import patient
from routes import routes
from test_daemon_bounce import BOUNCED, TAKEN, final, fixture_hole, put  # noqa: F401
from test_http_rights import plain
from test_https import TOKEN, House

# What an agent in good health does not answer; 503 of a ledger that fails: test_daemon_ledger.
ANYWHERE = {"400", "411", "413"}
RARE = {("get", "/readyz", "503"), ("get", "/api/v1/probes/{id}", "409"), ("get", "/probe", "409"),
        ("get", "/api/v1/probes", "503"), ("get", "/api/v1/incidents", "503"),
        ("post", "/api/v1/probes", "503"), ("post", "/api/v1/maintenance", "503"),
        ("post", "/api/v1/maintenance", "409"), ("patch", "/api/v1/maintenance/{id}", "503"),
        ("delete", "/api/v1/maintenance/{id}", "503"), ("post", "/peer/v1/exchange", "503"),
        ("get", "/assets/{name}", "304")}


def operations():
    """(method, template, operation) of all."""
    return [(method, template, operation)
            for template, item in contract.specification()["paths"].items()
            for method, operation in item.items() if method in contract.OPERATIONS.values()]


def nodes(node, place="#"):
    """Every object in the file, with its place."""
    if isinstance(node, dict):
        yield place, node
        for name, member in node.items():
            yield from nodes(member, f"{place}/{name}")
    elif isinstance(node, list):
        for index, item in enumerate(node):
            yield from nodes(item, f"{place}/{index}")


# ---- the file by itself ----


def test_schemas_are_schemas():
    for schema in contract.specification()["components"]["schemas"].values():
        jsonschema.Draft202012Validator.check_schema(schema)


def test_references_lead_somewhere_and_everything_is_referred_to():
    used = set()
    for place, node in nodes(contract.specification()):
        if "$ref" in node:
            assert contract.resolve(node), place
            used.add(node["$ref"])
    for kind, members in contract.specification()["components"].items():
        for name in members:
            reference = f"#/components/{kind}/{name}"
            assert kind == "securitySchemes" or reference in used, reference


def test_objects_take_no_member_that_is_not_described():
    """Those that are open are parts of closed ones; the rest is said here."""
    open_ones = {"IncidentMembers/properties/evidence"}
    for name, schema in contract.specification()["components"]["schemas"].items():
        for place, node in nodes(schema, name):
            closed = {"additionalProperties", "unevaluatedProperties"} & node.keys()
            part = re.fullmatch(r"\w+(Members|Times)", place) or place in open_ones
            assert node.get("type") != "object" or closed or part, place


def test_operations_are_complete():
    names = [operation["operationId"] for _, _, operation in operations()]
    assert len(names) == len(set(names))
    for method, template, operation in operations():
        assert ANYWHERE <= operation["responses"].keys(), (method, template)
        shared = contract.specification()["paths"][template].get("parameters", [])
        given = [contract.resolve(one) for one in operation.get("parameters", []) + shared]
        in_path = {one["name"] for one in given if one["in"] == "path"}
        assert in_path == set(re.findall(r"{(\w+)}", template)), (method, template)
        writes = operation["tags"] == ["write"]
        assert ("security" in operation) == (writes or operation["tags"] == ["agents"])
        assert not writes or {"401", "403"} <= operation["responses"].keys()


# ---- the agent's own tables ----


def test_every_route_of_the_agent_is_described_and_no_other():
    described = {(method.upper(), re.sub(r"{\w+}", "", template)) for method, template, _ in operations()}
    assert described == {(route.method, route.path) for route in routes()}


def test_every_verb_is_described():
    help = ctl("--help").out.partition("Verbs:\n")[2].partition("\n\n")[0]
    verbs = {line[2:23].strip() for line in help.splitlines()}
    assert verbs == contract.specification()["x-mailflowctl"].keys()


def test_samples_of_other_tests_are_answers_of_an_agent():
    """What mailflowctl is tested with is what it will get."""
    contract.check_schema_named(control_answers.STATUS, "Status")
    contract.check_schema_named(control_answers.probe(), "ProbeWhole")
    contract.check_schema_named(control_answers.arrived(), "ProbeWhole")
    contract.check_schema_named(control_answers.window(), "Window")


# ---- what it answers ----


class Answers:
    """Asks the agent by several ways; what has been answered is noted."""

    def __init__(self, daemon):
        self.daemon = daemon
        self.seen = set()

    def note(self, method, path, status):
        template, _ = contract.path_item(path.partition("?")[0])
        self.seen.add((method.lower(), template, str(status)))

    def ask(self, expected, method, path, body=None, way=None):
        status, text, *_ = (way or self.daemon.request)(method, path, body)
        assert status == expected, (method, path, text)
        self.note(method, path, status)
        return json.loads(text) if text.startswith("{") else text


def ask_pages(answers, probe):
    for path in ("/", "/metrics", "/healthz", "/path?name=mx02-%3Emx01", f"/probe?id={probe}"):
        answers.ask(200, "GET", path)
    page = answers.ask(200, "GET", "/")
    answers.ask(200, "GET", re.search(r'/assets/[^"]+', page)[0])
    answers.ask(404, "GET", "/assets/none")
    answers.ask(404, "GET", "/path?name=nonsense")
    answers.ask(400, "GET", "/probe?id=0")
    answers.ask(404, "GET", "/probe?id=AAAAAAAAAAAAAAAAAAAAAAAAAA")
    wait_for(lambda: answers.daemon.request("GET", "/readyz")[0] == 200, 10, "that it is ready")
    answers.ask(200, "GET", "/readyz")


def ask_what_is_known(answers, probe):
    for path in ("version", "status", "paths", "probes", "incidents", "mesh", "maintenance",
                 f"probes/{probe}", f"probes/{probe[:8].lower()}", "mesh?state=bad",
                 "probes?path=mx02->mx01&since=1h&verdict=open&limit=1&before=9999999",
                 "latency?path=mx01-%3Emx02&range=30d"):
        answers.ask(200, "GET", f"/api/v1/{path}")
    for path in ("probes?since=never", "probes?colour=blue", "probes/0", "latency", "mesh?state=red"):
        answers.ask(400, "GET", f"/api/v1/{path}")
    for path in ("probes/AAAAAAAAAAAAAAAAAAAAAAAAAA", "maintenance/w-none"):
        answers.ask(404, "GET", f"/api/v1/{path}")


def ask_for_changes(answers):
    window = json.dumps({"server": "mx01", "kind": "emergency", "reason": "disk", "by": "anna"})
    one, two = (answers.ask(201, "POST", "/api/v1/maintenance", window) for _ in range(2))
    answers.ask(400, "POST", "/api/v1/maintenance", "{}x")
    place = f"/api/v1/maintenance/{one['id']}"
    answers.ask(200, "GET", place)
    answers.ask(200, "PATCH", place, '{"extend_seconds": 60}')
    answers.ask(400, "PATCH", place, "{}")
    answers.ask(404, "PATCH", "/api/v1/maintenance/w-none", "{}")
    answers.ask(400, "DELETE", place, '{"end": 1}')
    answers.ask(200, "DELETE", place, '{"by": "anna"}')
    answers.ask(409, "DELETE", place)
    answers.ask(404, "DELETE", "/api/v1/maintenance/w-none")
    assert two["state"] == "active"
    sent = answers.ask(202, "POST", "/api/v1/probes", '{"peer": "mx01"}')
    answers.ask(400, "POST", "/api/v1/probes", '{"peer": "nobody"}')
    answers.ask(200, "POST", "/api/v1/reload")
    good = answers.daemon.config.read_text()
    answers.daemon.config.write_text(good + "colour: blue\n")
    answers.ask(422, "POST", "/api/v1/reload")
    answers.daemon.config.write_text(good)
    return sent["id"]


def ask_without_rights(answers, way, expected):
    for method, path in (("POST", "probes"), ("POST", "maintenance"), ("PATCH", "maintenance/w-1"),
                         ("DELETE", "maintenance/w-1"), ("POST", "reload")):
        answers.ask(expected, method, f"/api/v1/{path}", "{}", way)


def exchange_all(answers, port):
    """Every answer to an exchange but 503, each checked where it is received."""
    good = json.dumps(exchange.message("mx03")).encode()
    for expected, body, signature in (
            (200, good, None), (409, good, None), (401, good, False), (400, b"{}", None),
            (403, json.dumps(exchange.message("mx09")).encode(), None)):
        status, headers, _ = exchange.post(port, body, signature)
        assert status == expected
        answers.note("POST", exchange.PATH, status)
        assert status != 200 or "Mailflow-Signature" in headers


@pytest.fixture(name="house")
def fixture_house(tmp_path, certificates):
    return House(tmp_path, certificates)


def with_agent(name):
    return {"name": name, "address": f"probe@{name}.example", "agent": "http://127.0.0.1:9"}


def test_every_answer_that_is_described_is_given(tmp_path, hole, house):
    """One agent whose mail goes nowhere, and comes back; over its socket, TCP and TLS."""
    port = free_port()
    listen = [f"127.0.0.1:{port}"]
    with Daemon(tmp_path, hole, peers=("mx01", with_agent("mx03")), http={"listen": listen}) as daemon:
        answers = Answers(daemon)
        probe = daemon.wait(TAKEN)[1][1]
        put(hole, envelope=probe, recipient=final("probe@mx01.example"), returned="To: x")
        daemon.wait(BOUNCED.format(probe))
        ask_for_changes(answers)
        ask_pages(answers, probe)
        ask_what_is_known(answers, probe)
        ask_without_rights(answers, lambda *asked: plain(port, *asked), 403)
        exchange_all(answers, port)
        incident = next(one for one in daemon.api("incidents")["incidents"] if one["kind"] == "bounced")
        assert incident["evidence"]["remote_mta"] == "elsewhere.example"
        assert incident["evidence"]["status"] == "5.1.1"
        daemon.configure(daemon.settings, {"http": house.http})
        daemon.stop()
        daemon.start()
        ask_without_rights(answers, lambda *asked: house.request(*asked)[::2], 401)
        assert house.request("GET", "/api/v1/status", Authorization=f"Bearer {TOKEN}")[0] == 200
    described = {(method, template, status) for method, template, operation in operations()
                 for status in operation["responses"].keys()}
    unseen = {one for one in described - answers.seen - RARE if one[2] not in ANYWHERE}
    assert not unseen, unseen


def test_what_mailflowctl_prints(tmp_path, office):
    """Each verb that asks the agent; ctl() holds what it prints against the description."""
    with Daemon(tmp_path, office) as daemon:
        daemon.wait(TAKEN)

        def ask(*words, code=0):
            printed = ctl(*words, "--json", "--control", daemon.settings["http"]["control"])
            assert printed.code == code, (words, printed)
            return json.loads(printed.out)

        for verb in ("status", "mesh", "version", "reload"):
            ask(verb)
        probe = ask("probe", "mx01")["id"]
        assert ask("explain", probe)["state"] == "arrived"
        assert ask("probe", "mx01", "--wait", "0").keys() == {"id"}
        assert ask("history", "mx01")["probes"]
        assert ask("maintenance", "begin", "mx01", "--wait")["acknowledged_after_seconds"] == {}
        for verb in (("extend", "mx01", "--for", "1m"), ("end", "mx01")):
            assert len(ask("maintenance", *verb)["maintenance"]) == 1
        ask("maintenance", "begin", "mx01", "--at", "23:59")
        assert ask("maintenance", "cancel", "mx01")["maintenance"][0]["cancelled"]
        assert len(ask("maintenance", "list")["maintenance"]) == 2
        assert ask("explain", "A" * 26, code=1)["status"] == 404


def announce(daemon, method, path, length):
    """The answer to a body that is announced and does not come."""
    connection = http.client.HTTPConnection("localhost", timeout=patient(10))
    connection.sock = socket.socket(socket.AF_UNIX)
    connection.sock.connect(daemon.settings["http"]["control"])
    with contextlib.closing(connection):
        connection.putrequest(method, path)
        connection.putheader(*length)
        connection.endheaders()
        answer = connection.getresponse()
        contract.check_answer(method, path, answer.status, answer.getheader("Content-Type"), answer.read())
        return answer.status


def test_bodies_that_are_refused_before_they_are_read(tmp_path, office):
    """By every path alike."""
    with Daemon(tmp_path, office) as daemon:
        for method, template, _ in operations():
            path = re.sub(r"{\w+}", "x", template)
            asked = method.upper(), path
            assert announce(daemon, *asked, ("Content-Length", "70000")) == 413, asked
            assert announce(daemon, *asked, ("Transfer-Encoding", "chunked")) == 411, asked
