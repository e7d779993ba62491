"""POST /predict with {"points": [[x, y], ...]}: the class of each point and how sure the model is."""

from __future__ import annotations

import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.request import urlopen

import numpy as np
from model import Model

MODEL = Model.load(Path(__file__).with_name("model.npz"))
PORT = 8080
MOST_BYTES = 1 << 20


def predict(request: dict[str, object]) -> dict[str, object]:
    """ValueError for what is no list of points."""
    points = np.asarray(request.get("points"), dtype=np.float32)
    if points.ndim != 2 or points.shape[1] != 2 or not np.isfinite(points).all():
        raise ValueError("points is a list of pairs of numbers")
    found = MODEL.probabilities(points)
    return {"classes": found.argmax(axis=1).tolist(), "confidence": found.max(axis=1).round(3).tolist()}


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self._answer(200 if self.path == "/health" else 404, {"ok": self.path == "/health"})

    def do_POST(self) -> None:
        try:
            length = min(int(self.headers.get("Content-Length", 0)), MOST_BYTES)
            self._answer(200, predict(json.loads(self.rfile.read(length))))
        except (ValueError, TypeError, AttributeError) as error:
            self._answer(400, {"error": str(error)})

    def _answer(self, status: int, document: dict[str, object]) -> None:
        body = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


if __name__ == "__main__":
    if "--check" in sys.argv:
        urlopen(f"http://127.0.0.1:{PORT}/health", timeout=2).close()
    else:
        ThreadingHTTPServer(("", PORT), Handler).serve_forever()
