"""mailflowctl, run to its end."""

import fcntl
import json
import os
import pathlib
import pty
import struct
import subprocess
import termios

import contract
from control_server import ControlServer
from process import patient

BUILD = pathlib.Path(os.environ.get("MAILFLOW_BUILD", "build"))
PROGRAM = BUILD / "agent" / "ctl" / "mailflowctl"
PATIENCE = 30.0


def environment(**more):
    """A terminal-less one in a known zone and locale; None removes. What ends at once leaks nothing
    of weight, and to look for it takes longer than all that it does.
    """
    kept = {name: os.environ.get(name) for name in ("PATH", "UBSAN_OPTIONS")}
    kept |= {"ASAN_OPTIONS": "detect_leaks=0"}
    kept |= {"TZ": "UTC", "LC_ALL": "C.utf8", "TERM": "xterm", **more}
    return {name: value for name, value in kept.items() if value is not None}


class Result:
    def __init__(self, code, out, err):
        self.code = code
        self.out = out
        self.err = err

    def __repr__(self):
        return f"exit {self.code}\n--- out\n{self.out}--- err\n{self.err}"


def ctl(*arguments, server=None, input=None, **more):
    """Runs it against a ControlServer, or as the arguments say, with `input` piped in or nothing.

    No sanitizer may complain, and with --json one JSON text is printed, whatever happens, as it is
    described, where it does not repeat what a script said.
    """
    control = [] if server is None else ["--control", str(server.socket_path)]
    done = subprocess.run(
        [str(PROGRAM), *map(str, arguments), *control],
        input=input or "",
        capture_output=True,
        text=True,
        errors="surrogateescape",
        timeout=patient(PATIENCE),
        env=environment(**more),
        check=False,
    )
    result = Result(done.returncode, done.stdout, done.stderr)
    assert "Sanitizer" not in result.err and "runtime error" not in result.err, result
    assert result.code in (0, 1, 2, 3), result
    if "--json" in arguments and "--" not in arguments:
        parsed = json.loads(result.out)
        if not isinstance(server, ControlServer) or result.code and "status" in parsed:
            contract.check_printed(verb_of(arguments), result.code, result.out)
    return result


def verb_of(arguments):
    """Its words, which options may stand before."""
    verbs = contract.specification()["x-mailflowctl"]
    words = [str(word) for word in arguments]
    found = (" ".join(words[at:at + length]) for at in range(len(words)) for length in (2, 1))
    return next(verb for verb in found if verb in verbs)


def ctl_in_a_terminal(*arguments, server=None, columns=100, code=0, **more):
    """What it writes to a terminal of so many columns."""
    control = [] if server is None else ["--control", server.socket_path]
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    with subprocess.Popen(
        [PROGRAM, *arguments, *control],
        stdin=slave,
        stdout=slave,
        stderr=slave,
        env=environment(**more),
    ) as process:
        os.close(slave)
        written = b""
        while True:
            try:
                piece = os.read(master, 65536)
            except OSError:
                break
            written += piece
        os.close(master)
    assert process.returncode == code
    return written.decode().replace("\r\n", "\n")


def changes_asked(server):
    """Method, path and body of every request, without the ones that only look."""
    return [(method, path, body) for method, path, body in server.asked if method != "GET"]
