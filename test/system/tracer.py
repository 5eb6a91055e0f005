"""Makes a program that waits for its input do one system call, by ptrace; for x86-64.

What the program is allowed shows in what becomes of it: its own code need not be changed for that.
"""

import ctypes
import os
import pathlib
import signal
import time

ATTACH, GETREGS, SETREGS, SINGLESTEP = 16, 12, 13, 9
NAMES = ("r15 r14 r13 r12 rbp rbx r11 r10 r9 r8 rax rcx rdx rsi rdi orig_rax rip cs eflags rsp ss "
         "fs_base gs_base ds es fs gs").split()
ARGUMENTS = ("rdi", "rsi", "rdx", "r10", "r8")
FILTERS = 2
PATIENCE = 20.0


class Registers(ctypes.Structure):
    _fields_ = [(name, ctypes.c_ulonglong) for name in NAMES]


libc = ctypes.CDLL(None, use_errno=True)
libc.ptrace.restype = ctypes.c_long
libc.ptrace.argtypes = (ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p)


def ptrace(request, pid, data=None):
    if libc.ptrace(request, pid, None, data) < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def wait_until_it_waits(pid):
    """Its warm-up is over, its filters are in place, and there is nothing to do."""
    wanted = {"State:\tS (sleeping)", f"Seccomp_filters:\t{FILTERS}"}
    end = time.monotonic() + PATIENCE
    while not wanted <= set(pathlib.Path(f"/proc/{pid}/status").read_text().splitlines()):
        assert time.monotonic() < end, "it does not wait for its input"
        time.sleep(0.001)


class Traced:
    """A process stopped in the call in which it waits."""

    def __init__(self, pid):
        wait_until_it_waits(pid)
        self.pid = pid
        self.registers = Registers()
        ptrace(ATTACH, pid)
        assert os.WIFSTOPPED(os.waitpid(pid, 0)[1])
        ptrace(GETREGS, pid, ctypes.byref(self.registers))

    def _place(self, text):
        """Lay it below its stack; the address."""
        place = (self.registers.rsp - 4096) & ~15
        with open(f"/proc/{self.pid}/mem", "r+b", buffering=0) as memory:
            memory.seek(place)
            memory.write(text + b"\0")
        return place

    def call(self, number, *arguments):
        """What the call returns; a signal.Signals when it was the end."""
        registers = Registers.from_buffer_copy(self.registers)
        registers.rip -= 2  # once more the instruction that it is in: syscall
        registers.orig_rax = ctypes.c_ulonglong(-1).value
        registers.rax = number
        for name, value in zip(ARGUMENTS, (*arguments, 0, 0, 0, 0, 0), strict=False):
            value = self._place(value) if isinstance(value, bytes) else value
            setattr(registers, name, value & 0xFFFFFFFFFFFFFFFF)
        ptrace(SETREGS, self.pid, ctypes.byref(registers))
        ptrace(SINGLESTEP, self.pid)
        status = os.waitpid(self.pid, 0)[1]
        if os.WIFSIGNALED(status):
            return signal.Signals(os.WTERMSIG(status))
        assert os.WIFSTOPPED(status) and os.WSTOPSIG(status) == signal.SIGTRAP, status
        ptrace(GETREGS, self.pid, ctypes.byref(registers))
        return ctypes.c_longlong(registers.rax).value
