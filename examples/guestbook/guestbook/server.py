"""The guestbook's HTTP service: GET / (a page), GET and POST /entries (JSON), GET /health."""

import html
import json
import os
import signal
import sys
import threading
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from entries import Entries

PORT = int(os.environ.get("GUESTBOOK_PORT", "8080"))
VERSION = os.environ.get("GUESTBOOK_VERSION", "1")
DATABASE = os.environ.get("GUESTBOOK_DATABASE", "guestbook.sqlite")


class Server(ThreadingHTTPServer):
    """A thread for each connection; many may wait to be taken."""

    request_queue_size = 128


class Handler(BaseHTTPRequestHandler):
    """One request; every thread opens the database for itself."""

    def do_GET(self):
        if self.path == "/health":
            self.answer(200, {"status": "ok", "version": VERSION, "entries": len(Entries(DATABASE).all())})
        elif self.path == "/entries":
            self.answer(200, Entries(DATABASE).all())
        elif self.path == "/":
            rows = "".join(f"<li><b>{html.escape(e['name'])}</b>: {html.escape(e['text'])}" for e in Entries(DATABASE).all())
            self.answer(200, f"<!doctype html><title>Guestbook</title><h1>Guestbook</h1><ul>{rows}</ul>", "text/html")
        else:
            self.answer(404, {"error": "not found"})

    def do_POST(self):
        if self.path != "/entries":
            return self.answer(404, {"error": "not found"})
        try:
            body = json.loads(self.rfile.read(int(self.headers.get("Content-Length", "0"))))
            number = Entries(DATABASE).add(str(body["name"]), str(body["text"]))
        except (KeyError, TypeError, ValueError) as error:
            return self.answer(400, {"error": str(error)})
        self.answer(201, {"id": number})

    def answer(self, status, body, content_type="application/json"):
        """Send `body`, JSON unless it is text already."""
        data = (body if isinstance(body, str) else json.dumps(body)).encode()
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


def check():
    """Exit 0 when the service on this machine answers that it is well."""
    with urllib.request.urlopen(f"http://127.0.0.1:{PORT}/health", timeout=2) as answer:
        sys.exit(0 if answer.status == 200 else 1)


def main():
    """Serve until SIGTERM or SIGINT."""
    if "--check" in sys.argv:
        check()
    Entries(DATABASE)
    server = Server(("", PORT), Handler)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: threading.Thread(target=server.shutdown).start())
    print(f"guestbook: serving on port {PORT}, entries in {DATABASE}", flush=True)
    server.serve_forever()
    print("guestbook: stopped", flush=True)


if __name__ == "__main__":
    main()
