"""An agent and its probers with a wall clock of their own, which is off and may step."""

import os
import struct


class ShiftedClock:
    """`environment` is for the agent; what it starts gets it from the wrappers in `probers`."""

    def __init__(self, directory, build):
        self.file = directory / "shift"
        self.set(0)
        self.environment = {
            "LD_PRELOAD": str(build / "test/lab/libshifted_clock.so"),
            "SHIFTED_CLOCK": str(self.file),
            "ASAN_OPTIONS": "verify_asan_link_order=0",
        }
        self.probers = directory / "probes"
        self.probers.mkdir(parents=True)
        words = " ".join(f"{name}={value}" for name, value in self.environment.items())
        for program in (build / "probes").glob("mailflow-*"):
            if program.is_file():
                wrapper = self.probers / program.name
                wrapper.write_text(f'#!/bin/sh\nexec env {words} {program} "$@"\n')
                wrapper.chmod(0o755)

    def set(self, seconds):
        """From now on it is so many seconds ahead of the machine's."""
        descriptor = os.open(self.file, os.O_WRONLY | os.O_CREAT, 0o644)
        os.pwrite(descriptor, struct.pack("q", seconds), 0)
        os.close(descriptor)
