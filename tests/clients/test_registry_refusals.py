"""A client that our registry refuses tells its user so at once."""

from __future__ import annotations

import time

import bcrypt
import pytest
from tests.clients.conftest import Peer
from tests.conftest import serving

pytestmark = [pytest.mark.clients, pytest.mark.root]

SOON_S = 10


@pytest.mark.parametrize("tokens", [(), ("--token-auth",)], ids=["basic", "token"])
def test_docker_without_a_login_does_not_try_again(state, docker, tmp_path, tokens):
    (tmp_path / "users").write_text("alice:" + bcrypt.hashpw(b"secret", bcrypt.gensalt(4)).decode() + "\n")
    client = Peer([docker.argv[0], "--config", str(tmp_path), *docker.argv[1:]])
    with serving(state, tmp_path / "registry", "--htpasswd", str(tmp_path / "users"), *tokens) as address:
        client("tag", "busybox", f"{address}/secret:1")
        began = time.monotonic()
        pushed = client.run("push", f"{address}/secret:1")
        login = client.run("login", "-u", "alice", "--password-stdin", address, input=b"guess")
        took_s = time.monotonic() - began
    assert pushed.returncode == login.returncode == 1
    assert b"no basic auth credentials" in pushed.stderr or b"unauthorized" in pushed.stderr
    assert b"unauthorized" in login.stderr.lower()
    assert took_s < SOON_S
