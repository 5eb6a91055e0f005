"""What others do of the same, as Debian has them: prometheus-mailexporter and check_email_delivery.

Each does whole probes through a lab host's own Postfix into its own mailbox, as our agent does.
"""

import re
import resource
import shutil
import subprocess
import urllib.request
from pathlib import Path

PLUGINS = "/usr/lib/nagios/plugins"
EXPORTER_PORT = 9225
EXPORTER_SERVER = """\
  - name: {name}
    server: 127.0.0.1
    port: 25
    login: ""
    passphrase: ""
    from: someone@{domain}
    to: probe@{domain}
    detectiondir: {maildir}/new
"""


def installed():
    return shutil.which("mailexporter") is not None and Path(PLUGINS, "check_email_delivery").exists()


class Exporter:
    """prometheus-mailexporter on a host, a probe a second to each of `count` servers, which are one.

    It begins with each of them after some seconds of its own choice.
    """

    def __init__(self, host, count):
        self.address = f"{host.address}:{EXPORTER_PORT}"
        maildir = host.mail_home("probe") / "Maildir"
        servers = [EXPORTER_SERVER.format(name=f"s{number}", domain=host.domain, maildir=maildir)
                   for number in range(count)]
        config = host.directory / "mailexporter.conf"
        config.write_text("monitoringinterval: 1s\nmailchecktimeout: 5s\nservers:\n"
                          + "".join(servers))
        command = ("mailexporter", "-config.file", config, "-web.listen-address", self.address)
        with host.inside():
            self.program = subprocess.Popen(command, stdout=subprocess.DEVNULL,
                                            stderr=subprocess.DEVNULL)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.program.terminate()
        self.program.wait()

    @property
    def pid(self):
        return self.program.pid

    def arrived(self):
        """How many probes it has seen arrive; 0 when it does not answer yet."""
        try:
            with urllib.request.urlopen(f"http://{self.address}/metrics", timeout=5) as answer:
                text = answer.read().decode()
        except OSError:
            return 0
        counts = re.findall(r"^mail_deliver_durations_seconds_count\S* (\S+)", text, re.MULTILINE)
        return sum(float(count) for count in counts)


def check_delivery(host, directory):
    """One run of check_email_delivery; seconds of the processor."""
    user = f"probe@{host.domain}"
    send = (f"{PLUGINS}/check_smtp_send -H 127.0.0.1 --mailfrom someone@{host.domain} --mailto {user}"
            " --header 'Subject: check %TOKEN1%'")
    receive = (f"{PLUGINS}/check_imap_receive -H 127.0.0.1 -U {user} -P {host.password('probe')}"
               " -s SUBJECT -s 'check %TOKEN1%'")
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    with host.inside():
        done = subprocess.run((f"{PLUGINS}/check_email_delivery", "-p", send, "-p", receive),
                              cwd=directory, capture_output=True, text=True, timeout=60, check=False)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode != 0:
        raise RuntimeError(f"check_email_delivery: {done.stdout}{done.stderr}")
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
