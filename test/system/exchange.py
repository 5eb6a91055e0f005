"""What two agents say to each other over HTTP, written from its description.

A second implementation, independent of agent/shell/exchange_message.c, so that the two check each
other.
"""

import base64
import datetime
import http.client
import json
import os
import time

import contract
from process import patient
from tag import Key, base32

PATH = "/peer/v1/exchange"


def timestamp(seconds=0.0):
    """RFC 3339 of now and so many seconds."""
    at = datetime.datetime.fromtimestamp(time.time() + seconds, datetime.timezone.utc)
    return at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def sign(body, key=None):
    """The value of Mailflow-Signature."""
    key = key or Key()
    digest = base64.b64encode(key.digest(b"exchange\n" + body)).decode()
    return f"a=hmac-sha256; k={key.identity}; b={digest}"


def message(sender="mx01", addressee="mx02", **members):
    """What an agent says of itself."""
    return {
        "v": 1,
        "from": sender,
        "to": addressee,
        "nonce": base32(os.urandom(16)),
        "time": timestamp(),
        "maintenance": "",
        "receipts": "",
        "row": "",
        "blind": False,
        "draining": False,
        "isolated": False,
    } | members


def reply_to(request, **members):
    """The reply of the agent that a request's body is addressed to."""
    asked = json.loads(request)
    reply = message(asked["to"], asked["from"], in_reply_to=asked["nonce"], received=timestamp())
    return json.dumps(reply | members).encode()


def post(port, body, signature=None, path=PATH, **headers):
    """(status, headers, body) of a request over TCP."""
    body = body if isinstance(body, bytes) else json.dumps(body).encode()
    headers = {name.replace("_", "-"): value for name, value in headers.items()}
    if signature is not False:
        headers["Mailflow-Signature"] = signature or sign(body)
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=patient(10))
    try:
        connection.request("POST", path, body, {"Content-Type": "application/json", **headers})
        answer = connection.getresponse()
        text = answer.read()
        contract.check_answer("POST", path, answer.status, answer.getheader("Content-Type"), text)
        return answer.status, dict(answer.getheaders()), text
    finally:
        connection.close()
