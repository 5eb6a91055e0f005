"""A Debian machine in a directory, and what lies on it.

It is unpacked from an archive that is made once, with what the package depends on, from where apt
gets its packages here. Each command runs there in namespaces of its own, without a network or in that of
a host of the lab: nothing is mounted in ours, and nothing that it started outlives it. Its policy-rc.d notes what the package's
scripts want to be started, and forbids it.
"""

import hashlib
import os
import re
import shutil
import stat
import subprocess
import tempfile
from pathlib import Path

SUITE = "bookworm"
ENVIRONMENT = {
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "DEBIAN_FRONTEND": "noninteractive",
    "LC_ALL": "C.UTF-8",
}
ALONE = ("unshare", "--mount", "--pid", "--fork", "--kill-child")
ENTER = 'ip link set lo up; mount -t proc proc "$0/proc"; exec chroot "$0" /bin/sh -euc "$1"'
POLICY = '#!/bin/sh\necho "$1 $2" >>/run/asked\nexit 101\n'
COMMAND_MAXIMUM = 300  # s


def _sources():
    """Where apt here has Debian's packages from, as it says itself: lines of a sources.list."""
    lines = subprocess.run(
        ("apt-get", "indextargets", "--format", "deb $(REPO_URI) $(RELEASE) $(COMPONENT)",
         "Created-By: Packages", "Origin: Debian"),
        capture_output=True, text=True, check=True,
    ).stdout
    return "".join(sorted(set(lines.splitlines(keepends=True))))


def _dependencies(package):
    """The names of what it depends on; of alternatives the first."""
    depends = subprocess.run(
        ("dpkg-deb", "--field", package, "Depends"), capture_output=True, text=True, check=True
    ).stdout
    return [re.match(r"[a-z0-9.+-]+", one.strip()).group() for one in depends.split(",")]


def base_archive(package, directory):
    """An archive of a small Debian that has what `package` depends on; kept in the directory."""
    directory.mkdir(parents=True, exist_ok=True)
    include = ",".join(_dependencies(package))
    sources = _sources()
    name = hashlib.sha256(f"{SUITE} {include} {sources}".encode()).hexdigest()[:12]
    archive = directory / f"base-{name}.tar"
    if not archive.exists():
        for old in directory.glob("base-*.tar"):
            old.unlink()
        draft = directory / "draft.tar"
        command = (*ALONE, "mmdebstrap", "--quiet", "--mode=root", "--variant=minbase",
                   f"--include={include}", SUITE, draft, "-")
        with tempfile.TemporaryDirectory(dir=directory) as work:
            os.chmod(work, 0o755)
            environment = dict(os.environ, TMPDIR=work)
            subprocess.run(command, input=sources, text=True, env=environment, check=True)
        draft.rename(archive)
    return archive


class Machine:
    """Used with `with`; `root` is its directory, `host` the host of the lab whose network and name it
    has, if any.
    """

    def __init__(self, archive, host=None):
        self.root = Path(tempfile.mkdtemp(prefix="machine-", dir=archive.parent))
        self.archive = archive
        self.host = host

    def __enter__(self):
        self.root.chmod(0o755)
        try:
            subprocess.run(("tar", "-xf", self.archive, "-C", self.root), check=True)
        except BaseException:
            self.__exit__()
            raise
        self.write("usr/sbin/policy-rc.d", POLICY, 0o755)
        # As if systemd were running: so the scripts do as they would on a machine that is up.
        (self.root / "run/systemd/system").mkdir(parents=True)
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.root)

    def write(self, name, text, mode):
        path = self.root / name
        path.write_text(text)
        path.chmod(mode)

    def command(self, script):
        """Our command line that runs this script of sh there, until its first command that fails."""
        inside = ("sh", "-euc", ENTER, self.root, script)
        if self.host is None:
            return (*ALONE, "--net", "--ipc", "--uts", *inside)
        return ("nsenter", f"--target={self.host.pid}", "--net", "--uts", *ALONE, "--ipc", *inside)

    def run(self, script):
        """What the script printed; it fails when the script does."""
        done = subprocess.run(
            self.command(script), env=ENVIRONMENT, timeout=COMMAND_MAXIMUM, text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )
        assert done.returncode == 0, f"{script}\n{done.stdout}"
        return done.stdout

    def install(self, package):
        """Installs it, or upgrades to it; returns the commands that ran there in the end."""
        shutil.copy(package, self.root / "root/mailflow.deb")
        try:
            left = "for one in /proc/[0-9]*/comm; do cat $one 2>/dev/null || true; done"
            output = self.run(f"dpkg -i /root/mailflow.deb; echo; echo ====; {left}")
        finally:
            (self.root / "root/mailflow.deb").unlink()
        return set(output.partition("====\n")[2].split())

    def asked(self):
        """What the package's scripts have wanted to be done with services since the last call."""
        notes = self.root / "run/asked"
        text = notes.read_text() if notes.exists() else ""
        notes.unlink(missing_ok=True)
        return text.splitlines()

    def look(self, name):
        """(kind and mode, owner, group) of a file there."""
        status = (self.root / name).lstat()
        names = {
            kind: {line.split(":")[2]: line.split(":")[0] for line in
                   (self.root / "etc" / kind).read_text().splitlines()}
            for kind in ("passwd", "group")
        }
        return (
            stat.filemode(status.st_mode),
            names["passwd"][str(status.st_uid)],
            names["group"][str(status.st_gid)],
        )

    def everything(self, *below):
        """{name: (mode, owner, group, content)} of all that lies below these folders."""
        found = {}
        for top in below:
            for folder, folders, files in os.walk(self.root / top):
                for name in (*folders, *files):
                    path = Path(folder) / name
                    status = path.lstat()
                    content = None
                    if stat.S_ISREG(status.st_mode):
                        content = hashlib.sha256(path.read_bytes()).hexdigest()
                    elif stat.S_ISLNK(status.st_mode):
                        content = os.readlink(path)
                    key = str(path.relative_to(self.root))
                    found[key] = (status.st_mode, status.st_uid, status.st_gid, content)
        return found
