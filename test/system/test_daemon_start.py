"""mailflowd before it works: its options, and what it says of a configuration it cannot use."""

import os
import re
import shutil
import socket

import pytest

from daemon import Daemon

# Root without the right to ignore file permissions, as a service's user is.
AS_USER = ("setpriv", "--bounding-set", "-dac_override,-dac_read_search")
USAGE = """\
usage: mailflowd [--config FILE] [--check-config] [--probers DIR]
       mailflowd --version | --help

  --config FILE    read this configuration (default /etc/mailflow/mailflow.yaml)
  --check-config   say what is wrong with it, all of it, and end: 0 nothing, 1 something
  --probers DIR    where mailflow-submit and its siblings are
  --version        print the version and end
  --help           print this text and end
"""


@pytest.fixture(name="daemon")
def fixture_daemon(tmp_path):
    """Configured, not started."""
    daemon = Daemon(tmp_path)
    yield daemon
    daemon.syslog.close()


def line_of(daemon, words):
    """Where a key or a value stands in the configuration: its line and column."""
    for number, line in enumerate(daemon.config.read_text().splitlines(), 1):
        found = re.search(rf'"?{re.escape(words)}', line)
        if found:
            return f"{daemon.config}:{number}:{found.start() + 1}"
    raise ValueError(words)


# ---- options ----


def test_version(daemon):
    assert daemon.run("--version") == (0, "mailflowd 0.1.0\n", "")


def test_help(daemon):
    assert daemon.run("--help") == (0, USAGE, "")


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (["--colour"], "unrecognized option '--colour'"),
        (["--config"], "option '--config' requires an argument"),
        (["start"], "unexpected argument 'start'"),
        (["--check-config=yes"], "option '--check-config' doesn't allow an argument"),
    ],
)
def test_wrong_options_are_a_usage_error(daemon, options, complaint):
    assert daemon.run(*options) == (2, "", f"mailflowd: {complaint}\n{USAGE}")


# ---- the configuration as a whole ----


def test_a_good_configuration_is_checked_without_a_word(daemon):
    assert daemon.run("--config", daemon.config, "--check-config") == (0, "", "")
    assert os.listdir(daemon.state) == []


def test_every_mistake_is_named_at_once(daemon):
    daemon.configure(
        daemon.settings,
        {
            "server": "mx02!",
            "relay": {"tls": "starttsl"},
            "defaults": {"interval": "9753", "latency": {"warning": "10s", "critical": "2s"}},
            "incidents": {"hold": "1s", "blind_aftr": "2s"},
        },
    )
    status, output, said = daemon.run("--config", daemon.config, "--check-config")
    assert (status, output) == (1, "")
    assert said.splitlines() == [
        f"{line_of(daemon, 'mx02!')}: server: 'mx02!' is not a server name: 1 to 32 letters, "
        "digits, - and _",
        f"{line_of(daemon, 'starttsl')}: tls: 'starttsl' is none of implicit, starttls, none",
        f"{line_of(daemon, '9753')}: interval: '9753' has no unit: write 9753s, 9753m, ...",
        f"{line_of(daemon, '10s')}: latency: warning is above critical",
        f"{line_of(daemon, 'blind_aftr')}: unknown key 'blind_aftr' (did you mean 'blind_after'?)",
    ]
    assert daemon.refuses_to_start() == said


def test_a_missing_configuration(daemon, tmp_path):
    file = tmp_path / "none.yaml"
    for options in (), ("--check-config",):
        said = (
            f"{file}: No such file or directory. Nothing is set up yet? mailflowctl setup, or "
            "mailflowctl join into a mesh that is there\n"
        )
        assert daemon.run("--config", file, *options) == (1, "", said)


# ---- secrets and certificates ----


def test_a_missing_secret(daemon):
    (daemon.home / "mesh.key").unlink()
    place = line_of(daemon, str(daemon.home / "mesh.key"))
    assert daemon.refuses_to_start() == (
        f"{place}: file: {daemon.home}/mesh.key: No such file or directory\n"
    )


def test_a_secret_that_cannot_be_read(daemon):
    shutil.chown(daemon.home / "password", "nobody")
    place = line_of(daemon, str(daemon.home / "password"))
    assert daemon.refuses_to_start(before=AS_USER) == (
        f"{place}: password_file: {daemon.home}/password: Permission denied\n"
    )


def test_a_secret_that_others_can_read(daemon):
    (daemon.home / "password").chmod(0o644)
    place = line_of(daemon, str(daemon.home / "password"))
    assert daemon.refuses_to_start() == (
        f"{place}: password_file: {daemon.home}/password: is open to others (mode 0644): "
        "chmod 0600 it\n"
    )


def test_a_mesh_key_that_is_too_short(daemon):
    daemon.write_secret("mesh.key", b"short\n")
    place = line_of(daemon, str(daemon.home / "mesh.key"))
    assert daemon.refuses_to_start() == (
        f"{place}: file: {daemon.home}/mesh.key: the key has 5 bytes, not 16 to 64\n"
    )


def test_an_authority_that_cannot_be_read(daemon):
    file = daemon.home / "ca.pem"
    daemon.configure(daemon.settings, {"relay": {"tls": "starttls", "ca_file": str(file)}})
    place = line_of(daemon, str(file))
    assert daemon.refuses_to_start() == f"{place}: ca_file: {file}: No such file or directory\n"
    file.touch(mode=0o600)
    shutil.chown(file, "nobody")
    said = daemon.refuses_to_start(before=AS_USER)
    assert said == f"{place}: ca_file: {file}: Permission denied\n"


def test_an_authority_that_the_agent_s_user_cannot_read(daemon):
    def said_of(file):
        daemon.configure(daemon.settings, {"relay": {"tls": "starttls", "ca_file": str(file)}})
        status, _, said = daemon.run("--config", daemon.config, "--check-config")
        assert status == 0
        return said

    hidden = daemon.home / "ca.pem"
    hidden.touch(mode=0o600)
    daemon.state.mkdir(exist_ok=True)
    assert said_of(hidden) == ""  # root's own agent can
    shutil.chown(daemon.state, "nobody")
    assert said_of(hidden) == (
        f"{line_of(daemon, str(hidden))}: warning: ca_file: {hidden}: the agent will run as user "
        "nobody, who cannot read it: copy it to /etc/mailflow, open to all\n"
    )
    assert said_of("/etc/passwd") == ""
    daemon.configure(daemon.settings, {"http": {"ca_file": str(hidden)}})
    said = daemon.run("--config", daemon.config, "--check-config")[2]
    assert said.startswith(f"{line_of(daemon, str(hidden))}: warning: ca_file: ")


# ---- the state directory ----


def test_a_missing_state_directory_is_made(tmp_path):
    daemon = Daemon(tmp_path)
    daemon.state.rmdir()
    with daemon:
        assert daemon.state.stat().st_mode & 0o777 == 0o700
        assert (daemon.state / "ledger.db").exists()


def test_a_state_directory_that_cannot_be_made(daemon):
    missing = daemon.home / "missing/state"
    daemon.configure(daemon.settings, {"state_dir": str(missing)})
    assert daemon.refuses_to_start() == (
        f"mailflowd: state directory {missing}: No such file or directory; "
        "create it for the agent's user\n"
    )


def test_a_state_directory_that_cannot_be_written(daemon):
    daemon.state.chmod(0o500)
    assert daemon.refuses_to_start(before=AS_USER) == (
        f"mailflowd: state directory {daemon.state}: Permission denied; "
        "the agent's user must be able to write it\n"
    )


def test_a_state_directory_that_another_agent_uses(tmp_path):
    with Daemon(tmp_path) as daemon:
        second = tmp_path / "second.yaml"
        text = daemon.config.read_text()
        second.write_text(text.replace(str(tmp_path / "control"), str(tmp_path / "control2")))
        status, _, said = daemon.run("--config", second)
        assert (status, said) == (
            1,
            f"mailflowd: state directory {daemon.state} is in use by another agent "
            f"(pid {daemon.pid})\n",
        )


# ---- addresses ----


def test_a_port_that_is_in_use(daemon):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        address = f"127.0.0.1:{port}"
        daemon.configure(daemon.settings, {"http": {"listen": [address]}})
        assert daemon.refuses_to_start() == (
            f"mailflowd: {address}: address already in use: another program listens there; find it "
            f"with ss -ltnp 'sport = :{port}' and stop it, or change http.listen\n"
        )
        assert daemon.count("agent (STARTED|STOPPED).*") == 0


def test_a_control_socket_that_another_agent_uses(tmp_path):
    (tmp_path / "second").mkdir()
    with Daemon(tmp_path) as daemon:
        second = Daemon(tmp_path / "second", http={"control": str(tmp_path / "control")})
        assert second.refuses_to_start() == (
            f"mailflowd: {tmp_path}/control: socket already in use: another mailflowd answers "
            "there; stop it or change http.control\n"
        )
        second.syslog.close()
        assert daemon.api("version")["server"] == "mx02"
