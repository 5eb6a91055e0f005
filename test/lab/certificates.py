"""A certificate authority for one lab, and a server certificate for each of its hosts.

Elliptic curve keys, because they cost milliseconds where RSA costs seconds.
"""

import os
import subprocess

LIFETIME_DAYS = "30"
AUTHORITY_DAYS = "3650"  # a chain ends with the first of its certificates
NEW_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")


def _openssl(*arguments):
    result = subprocess.run(("openssl",) + arguments, capture_output=True, text=True)
    if result.returncode != 0:
        raise RuntimeError(f"openssl {arguments[0]}: {result.stderr.strip()}")


def make_authority(directory):
    """Write ca.key and ca.pem into directory, unless they are there already."""
    certificate = directory / "ca.pem"
    if certificate.exists():
        return certificate
    directory.mkdir(parents=True, exist_ok=True)
    draft = directory / "ca.pem.new"
    _openssl(
        *("req", "-x509", "-subj", "/CN=mailflow lab", "-days", AUTHORITY_DAYS, *NEW_KEY),
        *("-keyout", str(directory / "ca.key"), "-out", str(draft)),
        *("-addext", "keyUsage=critical,keyCertSign,cRLSign"),
    )
    os.chmod(directory / "ca.key", 0o600)
    draft.rename(certificate)
    return certificate


def issue(authority, directory, domain, address, days=LIFETIME_DAYS):
    """Write server.key and server.pem for domain and address, signed by the authority."""
    directory.mkdir(parents=True, exist_ok=True)
    key, request = directory / "server.key", directory / "server.csr"
    extensions = directory / "server.ext"
    extensions.write_text(
        f"subjectAltName=DNS:{domain},IP:{address}\n"
        "basicConstraints=critical,CA:FALSE\nextendedKeyUsage=serverAuth,clientAuth\n"
    )
    _openssl(
        *("req", "-new", "-subj", f"/CN={domain}", *NEW_KEY),
        *("-keyout", str(key), "-out", str(request)),
    )
    os.chmod(key, 0o600)
    _openssl(
        *("x509", "-req", "-in", str(request), "-days", str(days)),
        *("-CA", str(authority), "-CAkey", str(authority.with_suffix(".key"))),
        *("-extfile", str(extensions), "-out", str(directory / "server.pem")),
    )
    return directory / "server.pem", key
