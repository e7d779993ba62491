"""An S3-compatible object store in a process of its own, by moto, for the tests of one run."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import boto3

BUCKET = "images"
_PROGRAM = """
from werkzeug.serving import make_server
from moto.server import DomainDispatcherApplication, create_backend_app
server = make_server("127.0.0.1", 0, DomainDispatcherApplication(create_backend_app), threaded=True)
print(server.server_port, flush=True)
server.serve_forever()
"""


class ObjectStore:
    def __init__(self, endpoint: str, secret: Path) -> None:
        self.endpoint = endpoint
        self.secret = secret
        self._client = boto3.client(
            "s3",
            endpoint_url=endpoint,
            region_name="us-east-1",
            aws_access_key_id="key",
            aws_secret_access_key="secret",
        )
        self._client.create_bucket(Bucket=BUCKET)

    def section(self, prefix: str) -> str:
        """The storage section of a configuration with a prefix of its own."""
        return (
            f"storage: {{s3: {{bucket: {BUCKET}, prefix: '{prefix}', endpoint: '{self.endpoint}', "
            f"access_key_id: key, secret_access_key_file: {self.secret}}}}}\n"
        )

    def keys(self, prefix: str) -> list[str]:
        found = self._client.list_objects_v2(Bucket=BUCKET, Prefix=prefix)
        return [entry["Key"] for entry in found.get("Contents", [])]

    def uploads(self) -> list[str]:
        """Multipart uploads that nobody has completed."""
        return [entry["Key"] for entry in self._client.list_multipart_uploads(Bucket=BUCKET).get("Uploads", [])]


@contextmanager
def object_store(base: Path) -> Iterator[ObjectStore]:
    secret = base / "secret"
    secret.write_text("secret\n")
    with (base / "log").open("wb") as log:
        process = subprocess.Popen([sys.executable, "-c", _PROGRAM], stdout=subprocess.PIPE, stderr=log, text=True)
    assert process.stdout
    try:
        yield ObjectStore(f"http://127.0.0.1:{process.stdout.readline().strip()}", secret)
    finally:
        process.terminate()
        process.stdout.close()
        process.wait(20)
