"""Says whose bearer token it is and whether it still counts, as a provider's tokeninfo does.

Tokens stand in a file, a line each: the token, until when it counts (seconds since 1970), its user.
What was asked, and whether it counted, goes to standard output.
"""

import http.server
import json
import sys
import time
import urllib.parse


class TokenInfo(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        query = urllib.parse.parse_qs(urllib.parse.urlsplit(self.path).query)
        token = query.get("access_token", [""])[0]
        with open(sys.argv[2], encoding="ascii") as file:
            known = {line.split()[0]: line.split()[1:] for line in file}
        until, user = known.get(token, ("0", ""))
        good = time.time() < float(until)
        print("good" if good else "refused", flush=True)
        body = json.dumps({"email": user} if good else {"error": "invalid_token"}).encode()
        self.send_response(200 if good else 400)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), TokenInfo).serve_forever()
