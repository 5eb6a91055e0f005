"""The Debian package, from its first installation to the purge."""

import json
import os
import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
OUTPUT = Path(os.environ.get("MAILFLOW_OUTPUT", ROOT / "build")).absolute()

UNIT = "mailflowd.service"
WANTED = f"etc/systemd/system/multi-user.target.wants/{UNIT}"
PROBERS = ("calendar", "collect", "discover", "fetch", "greet", "submit", "token")
OURS = ("etc/mailflow", "var/lib/mailflow")

SETUP = """
printf secret >/root/password; chmod 600 /root/password
mailflowctl setup --yes --untested --server mx01 --imap 127.0.0.1:143 --imap-tls none \\
    --user probe@mx01.example --password-file /root/password --peer mx02=probe@mx02.example
rm /root/password
printf 'defaults: {interval: 5m}\\n' >/etc/mailflow/conf.d/site.yaml
"""

# The folders are those that systemd makes for the unit; by hand the agent becomes their owner.
RUN = """
install -d -o mailflow -g mailflow -m 750 /var/lib/mailflow /run/mailflow
mailflowd & agent=$!
for turn in $(seq 100); do [ -S /run/mailflow/control.sock ] && break; sleep 0.1; done
{commands}
kill $agent; wait $agent
"""

# What dpkg and the accounts of the system note about every package that was ever there.
NOTED = re.compile(
    r"etc/(passwd|group|shadow|gshadow|subuid|subgid)-?$|etc/\.pwd\.lock$|etc/ld\.so\.cache$"
    r"|var/lib/dpkg/|var/log/|var/cache/ldconfig/"
)


def run_agent(machine, commands):
    return machine.run(RUN.format(commands=commands))


def begin_maintenance(machine):
    """The ledger then holds something that has to be there for long."""
    run_agent(machine, "mailflowctl maintenance begin --for 2h --reason 'the upgrade'")


def windows(machine):
    """[(server, reason)] as the agent there has them."""
    run_agent(machine, "mailflowctl maintenance list --json >/run/windows")
    document = json.loads((machine.root / "run/windows").read_text())
    return [(window["server"], window["reason"]) for window in document["maintenance"]]


def test_lintian_finds_nothing(changes):
    command = ("lintian", "--allow-root", "--fail-on", "error,warning", changes)
    found = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert found.returncode == 0, found.stdout


def test_the_tree_stays_as_it_is(changes):
    top = {path.name for path in ROOT.iterdir() if not path.name.startswith((".", "build"))}
    assert top == {"agent", "probes", "config", "test", "meson.build", "README.md", "LICENSE"}
    assert not (OUTPUT / "mailflow").exists()


def test_files_owners_and_modes(machine, package):
    machine.install(package)
    programs = ["usr/sbin/mailflowd", "usr/bin/mailflowctl"]
    programs += [f"usr/libexec/mailflow/mailflow-{name}" for name in PROBERS]
    for name in programs:
        assert machine.look(name) == ("-rwxr-xr-x", "root", "root"), name
    for name in ("etc/mailflow", "etc/mailflow/conf.d", "etc/mailflow/peers"):
        assert machine.look(name) == ("drwxr-x---", "root", "mailflow"), name
    documents = machine.root / "usr/share/doc/mailflow"
    for name in ("README.md", "OPERATING.md", "REFERENCE.md", "mailflow.yaml.example", "copyright"):
        assert machine.look(f"usr/share/doc/mailflow/{name}") == ("-rw-r--r--", "root", "root")
    for text in documents.glob("*.md"):
        for link in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", text.read_text()):
            assert (documents / link).exists(), f"{text.name}: {link}"
    assert machine.run("dpkg --verify mailflow") == ""

    user = machine.run("getent passwd mailflow; getent shadow mailflow").splitlines()
    assert user[0].split(":")[5:] == ["/var/lib/mailflow", "/usr/sbin/nologin"]
    assert user[1].split(":")[1].startswith("!"), "nobody can log in as it"


def test_nothing_runs_before_there_is_a_configuration(machine, package):
    running = machine.install(package)
    assert running <= {"sh", "cat"}, running
    assert machine.asked() == [f"{UNIT} start"]
    assert (machine.root / WANTED).is_symlink()
    unit = (machine.root / "lib/systemd/system" / UNIT).read_text()
    needed = re.search("^ConditionPathExists=/(.*)$", unit, re.MULTILINE).group(1)
    assert not (machine.root / needed).exists()
    machine.run(SETUP)
    assert (machine.root / needed).exists()


def test_an_upgrade_keeps_configuration_and_ledger(machine, older, package):
    machine.install(older)
    machine.run(SETUP)
    begin_maintenance(machine)
    before = machine.everything(*OURS)
    assert {"var/lib/mailflow/ledger.db", "etc/mailflow/conf.d/site.yaml"} < set(before)
    machine.asked()

    machine.install(package)
    assert machine.everything(*OURS) == before
    assert machine.asked() == [f"{UNIT} restart"], "once, and not stopped before"
    version = machine.run("dpkg-query -W -f '${Version}' mailflow")
    assert machine.run("mailflowd --version").split()[-1] == version
    assert windows(machine) == [("mx01", "the upgrade")]


def test_a_unit_that_was_disabled_stays_so(machine, older, package):
    machine.install(older)
    machine.run(f"SYSTEMD_OFFLINE=1 systemctl disable {UNIT}")
    assert not (machine.root / WANTED).exists()
    machine.install(package)
    assert not (machine.root / WANTED).exists()


def test_a_removal_keeps_configuration_and_ledger(machine, package):
    machine.install(package)
    machine.run(SETUP)
    begin_maintenance(machine)
    before = machine.everything(*OURS)
    machine.asked()

    machine.run("dpkg --remove mailflow")
    assert machine.everything(*OURS) == before
    assert machine.asked() == [f"{UNIT} stop"]
    for gone in ("usr/sbin/mailflowd", "usr/libexec/mailflow", f"lib/systemd/system/{UNIT}"):
        assert not (machine.root / gone).exists(), gone
    machine.install(package)
    assert windows(machine) == [("mx01", "the upgrade")]


def test_a_purge_leaves_the_user_only(machine, package):
    before = machine.everything("etc", "usr", "var", "root", "home")
    machine.install(package)
    machine.run(SETUP)
    begin_maintenance(machine)
    machine.run("dpkg --purge mailflow")
    after = machine.everything("etc", "usr", "var", "root", "home")

    changed = {
        name for name in before.keys() | after.keys()
        if before.get(name) != after.get(name) and not NOTED.match(name)
    }
    assert not changed, changed
    assert machine.run("getent passwd mailflow").strip().endswith(":/usr/sbin/nologin")


def test_plain_install_below_usr_local(machine):
    """As README.md has it, with another prefix; the programs find each other there."""
    build = OUTPUT / "plain"
    if not (build / "build.ninja").exists():
        setup = ("--buildtype=release", "--prefix=/usr/local", "-Dauto_features=disabled")
        subprocess.run(("meson", "setup", build, *setup), cwd=ROOT, check=True)
    subprocess.run(("ninja", "-C", build), check=True)
    assert not list(build.glob("test/**/test_*"))

    before = set(machine.everything("etc", "usr", "var"))
    environment = dict(os.environ, DESTDIR=str(machine.root))
    install = ("meson", "install", "-C", build, "--no-rebuild", "--quiet")
    subprocess.run(install, env=environment, check=True)
    added = set(machine.everything("etc", "usr", "var")) - before
    assert all(name.startswith("usr/local/") for name in added), added

    machine.run("systemd-sysusers; systemd-tmpfiles --create --prefix=/etc/mailflow")
    assert machine.look("etc/mailflow") == ("drwxr-x---", "root", "mailflow")
    unit = machine.run(f"systemd-analyze --root=/ --man=no verify {UNIT} 2>&1 || true")
    assert UNIT not in unit, unit
    machine.run(SETUP)
    begin_maintenance(machine)
    assert windows(machine) == [("mx01", "the upgrade")]
