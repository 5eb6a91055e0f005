"""Runs a program that can write nowhere but in some directories: read_only.py DIRECTORY... -- COMMAND...

Everything else is mounted read-only, in a mount namespace of its own: even root cannot write there.
"""

import ctypes
import os
import sys

CLONE_NEWNS = 0x20000
MS_BIND, MS_REC, MS_PRIVATE = 0x1000, 0x4000, 0x40000
MOUNT_SETATTR = 442
AT_FDCWD, AT_RECURSIVE = -100, 0x8000
MOUNT_ATTR_RDONLY = 1

libc = ctypes.CDLL(None, use_errno=True)


def check(result):
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def set_attributes(place, flags, to_set, to_clear):
    attributes = (ctypes.c_uint64 * 4)(to_set, to_clear, 0, 0)
    check(libc.syscall(MOUNT_SETATTR, AT_FDCWD, place.encode(), flags, attributes,
                       ctypes.sizeof(attributes)))


def main():
    end = sys.argv.index("--")
    check(libc.unshare(CLONE_NEWNS))
    check(libc.mount(None, b"/", None, MS_REC | MS_PRIVATE, None))
    for place in sys.argv[1:end]:
        check(libc.mount(place.encode(), place.encode(), None, MS_BIND, None))
    set_attributes("/", AT_RECURSIVE, MOUNT_ATTR_RDONLY, 0)
    for place in sys.argv[1:end]:
        set_attributes(place, 0, 0, MOUNT_ATTR_RDONLY)
    os.execvp(sys.argv[end + 1], sys.argv[end + 1:])


if __name__ == "__main__":
    main()
