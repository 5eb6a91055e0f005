"""Cyrus and Courier on a lab host: IMAP in the place of Dovecot's, on 143 (STARTTLS) and 993."""

import imaplib
import shutil
import ssl
from pathlib import Path

import process
import servers
import unpacked

IMAPD_CONF = """\
configdirectory: {home}/lib
partition-default: {home}/spool
sievedir: {home}/sieve
defaultpartition: default
admins: administrator
servername: {domain}
defaultdomain: {domain}
virtdomains: userid
altnamespace: yes
unixhierarchysep: yes
allowplaintext: no
sasl_pwcheck_method: auxprop
sasl_auxprop_plugin: sasldb
sasl_sasldb_path: {home}/sasldb2
sasl_mech_list: PLAIN
tls_server_cert: {pem}
tls_server_key: {pem}
autocreate_quota: 0
autocreate_post: yes
autocreate_inbox_folders: Junk
lmtpsocket: {delivery}
idlesocket: {home}/idle
notifysocket: {home}/notify
duplicatesuppression: no
"""
CYRUS_CONF = """\
START {{
    recover cmd="/usr/sbin/cyrus ctl_cyrusdb -r"
}}
SERVICES {{
    imap cmd="imapd" listen="0.0.0.0:143" proto="tcp4" prefork=1
    imaps cmd="imapd -s" listen="0.0.0.0:993" proto="tcp4"
    lmtp cmd="lmtpd -a" listen="{delivery}"
}}
DAEMON {{
    idled cmd="idled"
}}
"""
ADMINISTRATOR = "administrator"
COURIER_SETTINGS = {
    "authdaemonrc": 'authmodulelist="authuserdb"\ndaemons=2\n',
    "imapd": "PIDFILE={home}/imapd.pid\nIMAP_ENHANCEDIDLE={enhanced}\nMAXPERIP=100\n",
    "imapd-ssl": "SSLPIDFILE={home}/imapd-ssl.pid\nTLS_CERTFILE={pem}\nTLS_CACHEFILE=\n"
    "IMAP_TLS_REQUIRED=1\nTLS_TRUSTCERTS={authority}\n",
}


class _Imap:
    unit = "imap"
    ports = (143, 993)

    def __init__(self, host):
        self.host = host
        self.home = host.directory / self.name
        self.pid_file = host.directory / f"{self.name}.pid"
        self.log = host.directory / f"{self.name}.log"


class Cyrus(_Imap):
    """Mail comes to it by LMTP, too, and makes the mailboxes."""

    name = "cyrus"

    def configure(self):
        host = self.host
        unpacked.own(self.home, "cyrus", 0o755)
        for name in ("lib", "lib/db", "lib/proc", "lib/lock", "spool", "sieve"):
            unpacked.own(self.home / name, "cyrus", 0o755)
        values = dict(home=self.home, domain=host.domain, delivery=self.delivery)
        values["pem"] = unpacked.lend_key(host, self.home, "cyrus")
        (host.directory / "etc/imapd.conf").write_text(IMAPD_CONF.format(**values))
        (host.directory / "etc/cyrus.conf").write_text(CYRUS_CONF.format(**values))

    @property
    def delivery(self):
        return self.home / "lmtp"

    def take_over(self, dovecot):
        secrets = self.home / "sasldb2"
        for user in (*self.host.users, ADMINISTRATOR):
            name, _, realm = user.partition("@")
            realm = realm or self.host.domain
            command = ("/usr/sbin/saslpasswd2", "-p", "-c", "-u", realm, "-f", secrets, name)
            self.host.run(*command, input=self.password(user))
        shutil.chown(secrets, unpacked.uid("cyrus"))
        self.host.servers["smtp"].adjust({"virtual_transport": f"lmtp:unix:{self.delivery}"})

    def password(self, user):
        """The administrator has that of the first user."""
        return self.host.password(self.host.users[0] if user == ADMINISTRATOR else user)

    def make_anew(self, user):
        """The mailbox goes with all that is in it; the next message makes another."""
        with self.host.inside(), imaplib.IMAP4("127.0.0.1") as session:
            session.starttls(ssl._create_unverified_context())
            session.login(ADMINISTRATOR, self.password(ADMINISTRATOR))
            mailbox = f"user/{self.host.full_user(user)}"
            session.setacl(mailbox, ADMINISTRATOR, "lrswipkxtecda")
            kind, said = session.delete(mailbox)
            assert kind == "OK", said

    def start(self):
        if not process.recorded(self.pid_file):
            unpacked.launch(self, "/usr/sbin/cyrmaster", "-p", self.home / "pid")

    def stop(self):
        process.end(self.pid_file)
        unpacked.end_all(self.host, "imapd", "lmtpd", "idled")

    stop_all = stop


class Courier(_Imap):
    """Postfix itself delivers into the Maildirs."""

    name = "courier"
    programs = (
        *("/usr/sbin/authdaemond", "/usr/lib/courier/imapd", "/usr/lib/courier/imapd-ssl"),
    )
    enhanced = 1

    def configure(self):
        host = self.host
        unpacked.own(self.home, "courier", 0o755)
        values = dict(home=self.home, enhanced=self.enhanced, authority=host.lab.authority)
        values["pem"] = unpacked.lend_key(host, self.home, "courier")
        shutil.copytree(unpacked.PACKAGES / "etc/courier", self.etc)
        for name, settings in COURIER_SETTINGS.items():
            with open(self.etc / name, "a") as file:
                file.write("\n" + settings.format(**values))
        for user in host.users:
            maildir = host.mail_home(user) / "Maildir"
            for name in ("", "cur", "new", "tmp"):
                unpacked.own(maildir / name, "nobody")

    @property
    def etc(self):
        return self.home / "etc"

    def take_over(self, dovecot):
        """The passwords, and Postfix's delivery."""
        host = self.host
        host.run("mount", "-n", "--bind", self.etc, "/etc/courier")
        accounts = self.etc / "userdb"
        accounts.touch(mode=0o600)
        accounts.write_text("".join(self._account(user) for user in host.users))
        host.run("/usr/sbin/makeuserdb")
        boxes = self.home / "mailboxes"
        boxes.write_text("".join(f"{u} {u.partition('@')[0]}/Maildir/\n" for u in host.users))
        own = unpacked.uid("nobody")
        settings = {"virtual_transport": "virtual", "virtual_mailbox_base": host.directory / "mail"}
        settings["virtual_mailbox_maps"] = f"texthash:{boxes}"
        settings |= {"virtual_uid_maps": f"static:{own}", "virtual_gid_maps": f"static:{own}"}
        host.servers["smtp"].adjust(settings)

    def make_anew(self, user):
        """Its numbers begin anew, as they do of a Maildir that was copied to another machine."""
        self.host.stop("imap")
        (self.host.mail_home(user) / "Maildir/courierimapuiddb").unlink()
        self.host.start("imap")

    def _account(self, user):
        secret = self.host.password(user)
        hashed = self.host.run("/usr/sbin/userdbpw", input=f"{secret}\n{secret}\n").stdout.strip()
        own = unpacked.uid("nobody")
        home = self.host.mail_home(user)
        return f"{user}\tuid={own}|gid={own}|home={home}|shell=/bin/false|imappw={hashed}\n"

    def start(self):
        if process.recorded(self.pid_file):
            return
        unpacked.own(Path(f"/proc/{self.host.pid}/root/run/courier/authdaemon"), "courier", 0o755)
        for program in self.programs:
            self.host.run_daemon(program, "start", log=self.log)
        servers.record(self, self.home / "imapd.pid")

    def stop(self):
        for program in reversed(self.programs):
            self.host.run_daemon(program, "stop", log=self.log)
        process.wait_end(self.pid_file, 10.0)
        unpacked.end_all(self.host, "imapd", "couriertls")

    stop_all = stop
