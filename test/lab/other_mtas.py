"""Exim and OpenSMTPD on a lab host, in the place of Postfix; Dovecot keeps the mailboxes.

As with Postfix, retry times are seconds, and a delay is reported after a few of them.
"""

import os

import process
import unpacked

EXIM_CONF = """\
primary_hostname = {domain}
exim_path = /usr/sbin/exim4
spool_directory = {home}/spool
log_file_path = {home}/log/%slog
pid_file_path = {home}/exim.pid
domainlist local_domains = {domain}
hostlist relay_from_hosts = 127.0.0.1 : {address}
daemon_smtp_ports = 25 : 587
tls_advertise_hosts = *
tls_certificate = {pem}
acl_smtp_rcpt = to_recipient
dsn_advertise_hosts = *
delay_warning = 2s
delay_warning_condition = yes
keep_environment =

begin acl
to_recipient:
  accept hosts = +relay_from_hosts
  accept authenticated = *
  require domains = +local_domains
          message = relay not permitted
  require verify = recipient
  accept

begin routers
elsewhere:
  driver = manualroute
  domains = ! +local_domains
  route_list = * $domain byname
  transport = smtp
  no_more
postmaster:
  driver = redirect
  local_parts = postmaster
  data = someone@{domain}
mailbox:
  driver = accept
  local_parts = {users}
  transport = dovecot

begin transports
smtp:
  driver = smtp
  connect_timeout = 3s
  tls_verify_certificates = {authority}
dovecot:
  driver = lmtp
  socket = {delivery}
  user = nobody
  group = nogroup
  return_path_add

begin retry
* * F,1h,1s

begin authenticators
plain:
  driver = plaintext
  public_name = PLAIN
  server_prompts = :
  server_condition = ${{if eq{{$auth3}}{{${{lookup{{$auth2}}lsearch{{{home}/passwords}}}}}}}}
  server_set_id = $auth2
  server_advertise_condition = ${{if def:tls_in_cipher}}
"""

OPENSMTPD_CONF = """\
ca {domain} cert "{authority}"
table mailboxes {{ {mailboxes} }}
table recipients {{ {recipients} }}
bounce warn-interval 2s

listen on 0.0.0.0 port 25 hostname {domain}

action mailbox lmtp "{delivery}" rcpt-to virtual <mailboxes>
{actions}
match from any for domain {domain} rcpt-to <recipients> action mailbox
{matches}
"""


class _Mta:
    unit = "smtp"

    def __init__(self, host):
        self.host = host
        self.home = host.directory / self.name
        self.pid_file = host.directory / f"{self.name}.pid"
        self.log = host.directory / f"{self.name}.log"

    def take_over(self, postfix):
        """Dovecot delivers for whoever may connect; it did for Postfix alone."""
        self.host.servers["imap"].deliver_for_all()

    def start(self):
        if not process.recorded(self.pid_file):
            unpacked.launch(self, *self.command())

    def stop(self):
        process.end(self.pid_file)

    stop_all = stop


class Exim(_Mta):
    """SMTP on 25, submission on 587."""

    name = "exim"
    ports = (25, 587)

    def configure(self):
        host = self.host
        self.home.mkdir(exist_ok=True)
        for name in ("spool", "log"):
            unpacked.own(self.home / name, "Debian-exim", 0o755)
        values = dict(home=self.home, domain=host.domain, address=host.address)
        values["users"] = " : ".join(user.partition("@")[0] for user in host.users)
        values["authority"] = host.lab.authority
        values["pem"] = unpacked.lend_key(host, self.home, "Debian-exim")
        values["delivery"] = host.servers["imap"].delivery
        exim4 = host.directory / "etc/exim4"
        exim4.mkdir(exist_ok=True)
        (exim4 / "exim4.conf").write_text(EXIM_CONF.format(**values))
        lines = [f"{user}: {host.password(user)}\n" for user in host.users]
        (self.home / "passwords").write_text("".join(lines))

    def command(self):
        return ("/usr/sbin/exim4", "-bdf", "-q1s")

    def flush(self):
        """Its queue runs every second."""


class OpenSmtpd(_Mta):
    """Without TLS as a server, and so without AUTH: Debian 12's, made for an older OpenSSL than it is
    linked with, fails in every handshake (https://github.com/OpenSMTPD/OpenSMTPD/issues/1171)."""

    name = "opensmtpd"
    ports = (25,)

    def configure(self):
        host = self.host
        self.home.mkdir(exist_ok=True)
        unpacked.own(host.directory / "var/lib/opensmtpd/empty", "root", 0o711)
        smtpctl = unpacked.PACKAGES / "usr/sbin/smtpctl"
        os.chown(smtpctl, 0, unpacked.uid("opensmtpq"))
        smtpctl.chmod(0o2755)
        others = [other for other in host.lab if other is not host]
        values = dict(home=self.home, domain=host.domain, authority=host.lab.authority)
        values["delivery"] = host.servers["imap"].delivery
        values["recipients"] = ", ".join(host.users)
        values["mailboxes"] = ", ".join(f"{user} = nobody" for user in host.users)
        values["actions"] = "\n".join(
            f'action to_{other.name} relay host "smtp://{other.address}" helo {host.domain}'
            for other in others
        )
        values["matches"] = "\n".join(
            f"match from local for domain {other.domain} action to_{other.name}" for other in others
        )
        (self.home / "smtpd.conf").write_text(OPENSMTPD_CONF.format(**values))
    def command(self):
        return ("/usr/sbin/smtpd", "-d", "-f", self.home / "smtpd.conf")

    def flush(self):
        self.host.run("/usr/sbin/smtpctl", "schedule", "all")
