"""What processes cost: time of the processor, and memory that is theirs (PSS)."""

import contextlib
import os
from pathlib import Path

TICK = os.sysconf("SC_CLK_TCK")


def _fields(pid):
    """Those of /proc/PID/stat after the name, from the state on."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()


def family(pid):
    """The process and its children."""
    found = [pid]
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                if int(_fields(entry.name)[1]) == pid:
                    found.append(int(entry.name))
            except OSError:
                continue  # ended meanwhile
    return found


def _process_seconds(pid):
    """Of a live process, to the nanosecond, and of its children that it has reaped, in ticks."""
    fields = _fields(pid)
    threads = Path(f"/proc/{pid}/task").iterdir()
    running = sum(int((thread / "schedstat").read_text().split()[0]) for thread in threads)
    return running / 1e9 + (int(fields[13]) + int(fields[14])) / TICK


def processor_seconds(pid):
    """What a process and its children, the reaped ones included, have had so far."""
    total = 0
    for one in family(pid):
        with contextlib.suppress(OSError):  # ended meanwhile
            total += _process_seconds(one)
    return total


def memory_by_program(pid):
    """PSS of a process and its children in MiB, by program: what is shared counts in shares."""
    sizes = {}
    for one in family(pid):
        with contextlib.suppress(OSError):
            name = Path(os.readlink(f"/proc/{one}/exe")).name
            rollup = Path(f"/proc/{one}/smaps_rollup").read_text().splitlines()
            kibibytes = next(int(line.split()[1]) for line in rollup if line.startswith("Pss:"))
            sizes[name] = sizes.get(name, 0) + kibibytes / 1024
    return sizes


def memory_mebibytes(pid):
    """All of it together."""
    return sum(memory_by_program(pid).values())
