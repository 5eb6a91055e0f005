"""Reports of delivery, as test/unit/bounces has them, about a probe of these tests."""

import base64
import pathlib

FIXTURES = pathlib.Path(__file__).parents[1] / "unit/bounces"


def fixture(name, probe):
    """A report about this probe, as test/unit has it."""
    text = (FIXTURES / f"{name}.eml").read_text()
    message_id = probe.message_id()
    encoded = base64.b64encode(f"Message-ID: {message_id}\r\n\r\n".encode()).decode()
    values = {"message-id": message_id, "envelope": probe.id_text, "message-id-base64": encoded}
    for placeholder, value in values.items():
        text = text.replace(f"{{{placeholder}}}", value)
    return text.replace("\n", "\r\n").encode()


def with_long_words(report, size):
    """The part for people takes so much before the parts for us begin."""
    begin = report.index(b"\r\n\r\n", report.index(b"\r\n\r\n") + 4) + 4
    return report[:begin] + (b"x" * 70 + b"\r\n") * (size // 72) + report[begin:]
