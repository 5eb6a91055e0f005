"""The mail servers of a lab host: Postfix and Dovecot, each with files of its own in the lab.

Retry times are shortened to seconds, so that what takes a real server half an hour (a destination
comes back, the queue drains) happens while a test looks on. Nothing else differs from a plain
installation that serves virtual mailboxes.
"""

import contextlib
import grp
import os
import pwd
import secrets
import signal
import socket
import ssl

import process

DAEMONS = "/usr/lib/postfix/sbin"
READY_SECONDS = 20.0
VIRTUAL_MAIL = ("nobody", "nogroup")
MAIN_CF = """\
compatibility_level = 3.6
queue_directory = {home}/postfix/queue
data_directory = {home}/postfix/data
daemon_directory = {daemons}
maillog_file = {home}/maillog
maillog_file_prefixes = {home}

myhostname = {domain}
mydomain = {domain}
myorigin = {domain}
mydestination =
mynetworks = 127.0.0.0/8 {address}/32
inet_interfaces = all
inet_protocols = ipv4
smtp_host_lookup = native
smtp_dns_support_level = disabled
lmtp_host_lookup = native

virtual_mailbox_domains = {domain}
virtual_mailbox_maps = texthash:{home}/postfix/users
virtual_alias_maps = inline:{{postmaster@{domain}=someone@{domain}}}
virtual_transport = lmtp:unix:private/dovecot-lmtp
alias_maps =
alias_database =
local_recipient_maps =
recipient_delimiter = +
notify_classes =
biff = no

smtpd_banner = $myhostname ESMTP
smtpd_relay_restrictions = permit_mynetworks, permit_sasl_authenticated, reject_unauth_destination
smtpd_tls_cert_file = {home}/tls/server.pem
smtpd_tls_key_file = {home}/tls/server.key
smtpd_tls_security_level = may
smtpd_tls_auth_only = yes
smtpd_tls_received_header = yes
smtpd_sasl_type = dovecot
smtpd_sasl_path = private/auth
smtp_tls_security_level = may
smtp_tls_CAfile = {authority}

queue_run_delay = 1s
minimal_backoff_time = 1s
maximal_backoff_time = 3s
transport_retry_time = 1s
smtp_connect_timeout = 3s
smtp_helo_timeout = 10s
lmtp_connect_timeout = 3s
# Of the usual twenty each starts two processes for a burst, which costs more than the deliveries.
lmtp_destination_concurrency_limit = 2
maximal_queue_lifetime = 1h
bounce_queue_lifetime = 1h
delay_warning_time = 0
in_flow_delay = 0
anvil_rate_time_unit = 60s
smtpd_client_connection_count_limit = 0
"""
MASTER_CF = """\
smtp       inet  n - n - - smtpd
submission inet  n - n - - smtpd
  -o syslog_name=postfix/submission
  -o smtpd_tls_security_level=encrypt
  -o smtpd_sasl_auth_enable=yes
  -o smtpd_relay_restrictions=permit_sasl_authenticated,reject
pickup     unix  n - n 60 1 pickup
cleanup    unix  n - n - 0 cleanup
qmgr       unix  n - n 300 1 qmgr
tlsmgr     unix  - - n 1000? 1 tlsmgr
rewrite    unix  - - n - - trivial-rewrite
bounce     unix  - - n - 0 bounce
defer      unix  - - n - 0 bounce
trace      unix  - - n - 0 bounce
verify     unix  - - n - 1 verify
flush      unix  n - n 1000? 0 flush
proxymap   unix  - - n - - proxymap
proxywrite unix  - - n - 1 proxymap
smtp       unix  - - n - - smtp
relay      unix  - - n - - smtp
showq      unix  n - n - - showq
error      unix  - - n - - error
retry      unix  - - n - - error
discard    unix  - - n - - discard
local      unix  - n n - - local
virtual    unix  - n n - - virtual
lmtp       unix  - - n - - lmtp
anvil      unix  - - n - 1 anvil
scache     unix  - - n - 1 scache
postlog    unix-dgram n - n - 1 postlogd
"""
DOVECOT_CONF = """\
base_dir = {home}/dovecot/run
state_dir = {home}/dovecot/state
mail_temp_dir = {home}/dovecot/tmp
log_path = {home}/dovecot.log
protocols = imap lmtp
listen = *
hostname = {domain}
postmaster_address = postmaster@{domain}
login_greeting = {domain} ready
recipient_delimiter = +
ssl = yes
ssl_cert = <{home}/tls/server.pem
ssl_key = <{home}/tls/server.key
disable_plaintext_auth = yes
auth_mechanisms = plain login
mail_location = maildir:~/Maildir
mail_max_userip_connections = 100
passdb {{
  driver = passwd-file
  args = scheme=plain username_format=%u {home}/dovecot/passwd
}}
userdb {{
  driver = passwd-file
  args = username_format=%u {home}/dovecot/passwd
}}
namespace inbox {{
  inbox = yes
  mailbox Junk {{
    auto = create
    special_use = \\Junk
  }}
}}
auth_failure_delay = 0
!include_try {home}/dovecot/quota.conf
!include_try {home}/dovecot/token.conf
!include_try {home}/dovecot/delivery.conf
service anvil {{
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
service auth {{
  unix_listener {home}/postfix/queue/private/auth {{
    mode = 0600
    user = postfix
  }}
}}
service lmtp {{
  unix_listener {home}/postfix/queue/private/dovecot-lmtp {{
    mode = 0600
    user = postfix
  }}
}}
"""
QUOTA_CONF = """\
mail_plugins = $mail_plugins quota
plugin {
  quota = maildir:User quota
}
"""
TOKEN_CONF = """\
auth_mechanisms = plain login xoauth2 oauthbearer
passdb {{
  driver = oauth2
  mechanisms = xoauth2 oauthbearer
  args = {home}/token.conf.ext
}}
"""
DELIVERY_CONF = """\
service lmtp {{
  unix_listener {socket} {{
    mode = 0666
  }}
}}
"""
TOKEN_SERVICE_CONF = """\
tokeninfo_url = http://127.0.0.1:{port}/tokeninfo?access_token=
username_attribute = email
"""
QUEUE_DIRECTORIES = (
    *"active bounce corrupt defer deferred flush hold incoming private saved trace".split(),
)


def _make_directory(path, user="root", group="root", mode=0o755):
    path.mkdir(parents=True, exist_ok=True)
    os.chown(path, pwd.getpwnam(user).pw_uid, grp.getgrnam(group).gr_gid)
    os.chmod(path, mode)


def _write_secret(path, text, user="root"):
    path.touch(mode=0o600)
    os.chown(path, pwd.getpwnam(user).pw_uid, -1)
    path.write_text(text)


def record(server, inner_pid_file):
    """Remember a server whose own pid file holds its pid as its host sees it.

    Dovecot writes that file a moment after its start command has returned.
    """

    def find():
        text = inner_pid_file.read_text() if inner_pid_file.exists() else ""
        return text.strip() and process.in_namespace_of(server.host.pid).get(int(text))

    what = f"{inner_pid_file.name} of {server.host.name}"
    process.record(server.pid_file, process.wait_for(find, READY_SECONDS, what))


class Postfix:
    """SMTP on 25, submission on 587."""

    unit = "smtp"
    ports = (25, 587)

    def __init__(self, host):
        self.host = host
        self.home = host.directory / "postfix"
        self.pid_file = host.directory / "postfix.pid"

    def configure(self):
        """Write the configuration and the directories that `postfix check` would have made."""
        host = self.host
        _make_directory(self.home)
        values = dict(home=host.directory, domain=host.domain, address=host.address)
        values["authority"] = host.lab.authority
        values["daemons"] = DAEMONS
        (self.home / "main.cf").write_text(MAIN_CF.format(**values))
        (self.home / "master.cf").write_text(MASTER_CF)
        users = "".join(f"{user} present\n" for user in host.users)
        (self.home / "users").write_text(users)
        _make_directory(self.home / "data", "postfix", mode=0o700)
        queue = self.home / "queue"
        _make_directory(queue)
        _make_directory(queue / "pid")
        for name in QUEUE_DIRECTORIES:
            _make_directory(queue / name, "postfix", mode=0o700)
        _make_directory(queue / "maildrop", "postfix", "postdrop", 0o1730)
        _make_directory(queue / "public", "postfix", "postdrop", 0o2710)

    def start(self):
        """Start master itself: the `postfix start` script takes a second for its checks."""
        if process.recorded(self.pid_file):
            return
        command = (f"{DAEMONS}/master", "-c", str(self.home), "-w")
        self.host.run_daemon(*command, log=self.host.directory / "postfix.log")
        record(self, self.home / "queue/pid/master.pid")

    def stop(self):
        process.end(self.pid_file)

    stop_all = stop

    def adjust(self, settings):
        """Change settings of main.cf, for good; a running Postfix takes them over at once."""
        self.tool("postconf", "-e", *(f"{key}={value}" for key, value in settings.items()))
        if process.recorded(self.pid_file):
            process.tell(self.pid_file, signal.SIGHUP)

    def tool(self, *command):
        """Run one of Postfix's own commands on this host's queue; returns what it says."""
        return self.host.run(command[0], "-c", str(self.home), *command[1:]).stdout


class Dovecot:
    """IMAP on 143 and 993, delivery (LMTP) and authentication for Postfix."""

    unit = "imap"
    ports = (143, 993)

    def __init__(self, host):
        self.host = host
        self.home = host.directory / "dovecot"
        self.pid_file = host.directory / "dovecot.pid"

    def configure(self):
        host = self.host
        for name in ("run", "state"):
            _make_directory(self.home / name)
        _make_directory(self.home / "tmp", *VIRTUAL_MAIL, mode=0o700)
        text = DOVECOT_CONF.format(home=host.directory, domain=host.domain)
        (self.home / "dovecot.conf").write_text(text)
        lines = [self._account(user) for user in host.users]
        _write_secret(self.home / "passwd", "".join(lines), "dovecot")

    def _account(self, user):
        """One line of Dovecot's passwd-file; the password also goes to where its owner reads it."""
        uid, gid = pwd.getpwnam(VIRTUAL_MAIL[0]).pw_uid, grp.getgrnam(VIRTUAL_MAIL[1]).gr_gid
        home = self.host.mail_home(user)
        _make_directory(home, *VIRTUAL_MAIL, mode=0o700)
        password = secrets.token_urlsafe(12)
        _write_secret(self.host.password_file(user), password + "\n")
        return f"{user}:{{PLAIN}}{password}:{uid}:{gid}::{home}::\n"

    def limit(self, user, storage):
        """From now on a user's mailbox is full when it holds this much, as Dovecot writes it."""
        (self.home / "quota.conf").write_text(QUOTA_CONF)
        lines = (self.home / "passwd").read_text().splitlines()
        rule = f"userdb_quota_rule=*:storage={storage}"
        lines = [line + rule if line.startswith(f"{user}:") else line for line in lines]
        _write_secret(self.home / "passwd", "\n".join(lines) + "\n", "dovecot")
        if process.recorded(self.pid_file):
            self._doveadm("reload")

    def accept_tokens(self, port):
        """From now on bearer tokens let in, too; a service on this port knows whose they are."""
        (self.home / "token.conf").write_text(TOKEN_CONF.format(home=self.home))
        (self.home / "token.conf.ext").write_text(TOKEN_SERVICE_CONF.format(port=port))
        if process.recorded(self.pid_file):
            self._doveadm("reload")

    @property
    def delivery(self):
        """The socket for mail servers other than Postfix; see deliver_for_all."""
        return self.home / "lmtp"

    def deliver_for_all(self):
        """From now on it takes mail from every program of the host."""
        (self.home / "delivery.conf").write_text(DELIVERY_CONF.format(socket=self.delivery))
        if process.recorded(self.pid_file):
            self._doveadm("reload")

    def kick(self, user):
        """End the user's sessions."""
        self._doveadm("kick", user)

    def start(self):
        """Start Dovecot, or, where only IMAP was stopped, IMAP."""
        if process.recorded(self.pid_file):
            self._doveadm("reload")
            return
        inner_pid_file = self.home / "run/master.pid"
        inner_pid_file.unlink(missing_ok=True)
        log = self.host.directory / "dovecot.log"
        self.host.run_daemon("dovecot", "-c", str(self.home / "dovecot.conf"), log=log)
        record(self, inner_pid_file)

    def stop(self):
        """Stop IMAP and end its sessions. Mail is still delivered: nobody can see it."""
        if process.recorded(self.pid_file):
            self._doveadm("service", "stop", "imap-login", "imap")
            process.wait_for(lambda: not self._end_sessions(), READY_SECONDS, "end of IMAP")

    def stop_all(self):
        """Stop everything; sessions would outlive Dovecot's master process."""
        process.end(self.pid_file)
        process.wait_for(lambda: not self._end_sessions(), READY_SECONDS, "end of IMAP")

    def _end_sessions(self):
        """Those that still serve IMAP, or are about to, after all were asked to end."""
        inside = process.in_namespace_of(self.host.pid)
        serving = [pid for pid in inside.values() if process.title(pid).startswith("dovecot/imap")]
        for pid in serving:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM)
        return serving

    def _doveadm(self, *arguments):
        self.host.run("doveadm", "-c", self.home / "dovecot.conf", *arguments)


def greeting(address, port, context=None, seconds=1.0):
    """The first line a server says, or None when it says none; 993 speaks only inside TLS."""
    try:
        with socket.create_connection((address, port), timeout=seconds) as connection:
            if port == 993:
                connection = context.wrap_socket(connection, server_hostname=address)
            with connection:
                return connection.recv(512).decode("ascii", "replace").strip() or None
    except (OSError, ssl.SSLError):
        return None


def wait_silent(server):
    """Wait until every port of a server refuses: its children may hold it a moment longer."""

    def refuses(port):
        try:
            socket.create_connection((server.host.address, port), timeout=1.0).close()
        except OSError as problem:
            return isinstance(problem, ConnectionRefusedError)
        return False

    for port in server.ports:
        what = f"end of {server.host.name}'s port {port}"
        process.wait_for(lambda: refuses(port), READY_SECONDS, what)


def wait_ready(server):
    """Wait until every port of a server greets."""
    context = ssl.create_default_context(cafile=server.host.lab.authority)
    for port in server.ports:
        what = f"greeting of {server.host.name} on port {port}"
        process.wait_for(lambda: greeting(server.host.address, port, context), READY_SECONDS, what)
