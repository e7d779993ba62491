"""Agents of a build: which there are, how our own answers, and what a command may ask of them."""

from __future__ import annotations

import base64
import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa, utils

from jubako.build.ssh import wire
from jubako.build.ssh.agents import agents
from jubako.build.ssh.forward import forwarded
from jubako.build.ssh.keyring import Keyring, load_key
from jubako.errors import InvalidArgument
from jubako.linux.fd import connect_stream

OWN = {"uid": os.getuid(), "gid": os.getgid(), "mode": 0o600}
MAKERS = {
    "ed25519": ed25519.Ed25519PrivateKey.generate,
    "rsa": lambda: rsa.generate_private_key(65537, 2048),
    "p256": lambda: ec.generate_private_key(ec.SECP256R1()),
    "p521": lambda: ec.generate_private_key(ec.SECP521R1()),
}


def write_key(path: Path, kind: str, passphrase: bytes | None = None, *, pem: bool = False) -> object:
    private = MAKERS[kind]()
    encryption = serialization.BestAvailableEncryption(passphrase) if passphrase else serialization.NoEncryption()
    form = serialization.PrivateFormat.PKCS8 if pem else serialization.PrivateFormat.OpenSSH
    path.write_bytes(private.private_bytes(serialization.Encoding.PEM, form, encryption))
    return private


def listed(answer: bytes) -> list[bytes]:
    assert answer[0] == wire.IDENTITIES_ANSWER
    rest, keys = answer[5:], []
    for _ in range(wire.take_count(answer[1:])):
        blob, rest = wire.take_string(rest)
        _, rest = wire.take_string(rest)
        keys.append(blob)
    assert rest == b""
    return keys


def sign_request(public: bytes, data: bytes, flags: int = 0) -> bytes:
    return bytes([wire.SIGN_REQUEST]) + wire.string(public) + wire.string(data) + flags.to_bytes(4, "big")


def signature(answer: bytes) -> tuple[bytes, bytes]:
    assert answer[0] == wire.SIGN_RESPONSE
    blob, _ = wire.take_string(answer[1:])
    name, rest = wire.take_string(blob)
    return name, wire.take_string(rest)[0]


@pytest.mark.parametrize("pem", [False, True])
@pytest.mark.parametrize("kind", MAKERS)
def test_a_key_of_a_file_is_listed_and_signs(tmp_path: Path, kind: str, pem: bool) -> None:
    private = write_key(tmp_path / "key", kind, pem=pem)
    public = private.public_key()  # type: ignore[attr-defined]
    ring = Keyring([load_key(tmp_path / "key")])
    text = public.public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
    (blob,) = listed(ring.ask(bytes([wire.REQUEST_IDENTITIES])))
    assert blob == base64.b64decode(text.split()[1])
    name, signed = signature(ring.ask(sign_request(blob, b"data", wire.RSA_SHA2_512)))
    match kind:
        case "ed25519":
            assert name == b"ssh-ed25519"
            public.verify(signed, b"data")
        case "rsa":
            assert name == b"rsa-sha2-512"
            public.verify(signed, b"data", padding.PKCS1v15(), hashes.SHA512())
        case _:
            assert name == f"ecdsa-sha2-nistp{kind[1:]}".encode()
            first, rest = wire.take_string(signed)
            numbers = (int.from_bytes(first, "big"), int.from_bytes(wire.take_string(rest)[0], "big"))
            algorithm = hashes.SHA256() if kind == "p256" else hashes.SHA512()
            public.verify(utils.encode_dss_signature(*numbers), b"data", ec.ECDSA(algorithm))


def test_rsa_signs_with_the_hash_that_is_asked_for(tmp_path: Path) -> None:
    write_key(tmp_path / "key", "rsa")
    ring = Keyring([load_key(tmp_path / "key")])
    (blob,) = listed(ring.ask(bytes([wire.REQUEST_IDENTITIES])))
    names = [signature(ring.ask(sign_request(blob, b"x", flags)))[0] for flags in (0, 2, 4)]
    assert names == [b"ssh-rsa", b"rsa-sha2-256", b"rsa-sha2-512"]


@pytest.mark.parametrize("request_", [b"\x0d", b"\x0d\0\0\0\xff", sign_request(b"other", b"x"), b"\x11", b"\x1b"])
def test_a_request_that_is_none_fails(tmp_path: Path, request_: bytes) -> None:
    write_key(tmp_path / "key", "ed25519")
    assert Keyring([load_key(tmp_path / "key")]).ask(request_) == bytes([wire.FAILURE])


@contextmanager
def listening(path: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()
        yield listener


def test_the_forms_of_the_option(tmp_path: Path) -> None:
    write_key(tmp_path / "a", "ed25519")
    write_key(tmp_path / "b", "p256")
    with listening(tmp_path / "s"):
        texts = ["default", f"keys={tmp_path}/a,{tmp_path}/b", f"other={tmp_path}/s"]
        found = agents(texts, {"SSH_AUTH_SOCK": str(tmp_path / "s")})
    assert list(found) == ["default", "keys", "other"]
    with found["keys"].connected() as ring:
        assert len(listed(ring.ask(bytes([wire.REQUEST_IDENTITIES])))) == 2


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("default", "invalid empty ssh agent socket"),
        ("=x", "invalid ssh value"),
        ("a={0}/none", "no ssh agent or key at"),
        ("a={0}/s,{0}/key", "only one ssh agent socket"),
        ("a={0}/text", "failed to parse the ssh key"),
        ("a={0}/locked", "is protected by a passphrase"),
        ("a={0}/big", "it is too big"),
    ],
)
def test_an_agent_that_is_none_is_named(tmp_path: Path, text: str, problem: str) -> None:
    write_key(tmp_path / "key", "ed25519")
    write_key(tmp_path / "locked", "ed25519", b"secret", pem=True)
    (tmp_path / "text").write_text("no key")
    (tmp_path / "big").write_bytes(bytes(200_000))
    with listening(tmp_path / "s"), pytest.raises(InvalidArgument, match=problem):
        agents([text.format(tmp_path)], {})


def test_an_id_is_given_once(tmp_path: Path) -> None:
    write_key(tmp_path / "key", "ed25519")
    with pytest.raises(InvalidArgument, match="duplicate ssh ID 'a'"):
        agents([f"a={tmp_path}/key", f"a={tmp_path}/key"], {})


@contextmanager
def conversation(path: Path) -> Iterator[socket.socket]:
    with socket.socket(fileno=connect_stream(str(path))) as connection:
        connection.settimeout(60)
        yield connection


def test_a_command_may_list_and_sign_and_nothing_else(tmp_path: Path) -> None:
    """The agent behind is asked for nothing that is refused: adding, removing, locking, extensions."""
    asked: list[bytes] = []

    class Recording(Keyring):
        def ask(self, request: bytes) -> bytes:
            asked.append(request)
            return super().ask(request)

    write_key(tmp_path / "key", "ed25519")
    ring = Recording([load_key(tmp_path / "key")])
    with forwarded(ring, tmp_path / "s", **OWN), conversation(tmp_path / "s") as command:
        answers = []
        for kind in range(1, 256):
            wire.write_message(command, bytes([kind]))
            answers.append(wire.read_message(command))
    assert [request[0] for request in asked] == [wire.REQUEST_IDENTITIES, wire.SIGN_REQUEST]
    assert [answer for answer in answers if answer != bytes([wire.FAILURE])] == [answers[10]]


def test_the_end_of_the_step_ends_a_conversation_that_waits_for_its_agent(tmp_path: Path) -> None:
    before = threading.active_count()
    with listening(tmp_path / "agent") as listener:
        agent = agents([f"a={tmp_path}/agent"], {})["a"]
        with forwarded(agent, tmp_path / "s", **OWN), conversation(tmp_path / "s") as command:
            wire.write_message(command, bytes([wire.REQUEST_IDENTITIES]))
            behind, _ = listener.accept()
            assert wire.read_message(behind) == bytes([wire.REQUEST_IDENTITIES])
        behind.close()
    assert threading.active_count() == before


def test_what_is_no_message_ends_the_conversation_and_no_other(tmp_path: Path) -> None:
    write_key(tmp_path / "key", "ed25519")
    ring = Keyring([load_key(tmp_path / "key")])
    with forwarded(ring, tmp_path / "s", **OWN):
        with conversation(tmp_path / "s") as command:
            command.sendall(b"\xff" * 4)
            assert command.recv(1) == b""
        with conversation(tmp_path / "s") as command:
            wire.write_message(command, bytes([wire.REQUEST_IDENTITIES]))
            assert len(listed(wire.read_message(command) or b"")) == 1
