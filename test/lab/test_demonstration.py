"""What test/try prints, as far as it takes no mail servers."""

import shlex
import subprocess

import pytest

from demonstration import shell_lines

COMMAND = "/some/where/lab exec mx01 /a/program --reason \"kernel  update\" 'FIRING|RESOLVED'; sleep 45"


@pytest.mark.parametrize("width", [20, 40, 60, 100, 200])
def test_a_wrapped_command_is_the_same_to_a_shell(width):
    lines = shell_lines(COMMAND.replace(";", " ';'"), width)
    script = f"printf '%s\\n' {lines}"
    done = subprocess.run(("sh", "-c", script), capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == shlex.split(COMMAND.replace(";", " ';'"))
    assert all(len(line) <= max(width, 24) for line in lines.splitlines())
