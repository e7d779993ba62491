"""How a server is known, and how we are: TLS, tokens, and programs that give either.

Invariant: keys are handed to the TLS library by a file in memory, never on disk.
Spec:      client-go "exec" credential plugins, client.authentication.k8s.io/v1.
"""

from __future__ import annotations

import base64
import os
import ssl
import subprocess
import tempfile
from pathlib import Path

import msgspec

from jubako.cluster.client.config import Target
from jubako.cluster.types.document import JSON, Object, array, at, mapping, objects, text
from jubako.errors import InvalidArgument, Unauthenticated

_PLUGIN_S = 60


class Credentials(msgspec.Struct, frozen=True, kw_only=True):
    """What a user shows: headers, and perhaps a certificate with its key (PEM)."""

    headers: dict[str, str]
    certificate: bytes | None = None
    key: bytes | None = None


def credentials(target: Target) -> Credentials:
    """Return what the target's user has. Raises InvalidArgument, Unauthenticated."""
    user = target.user
    if plugin := mapping(user.get("exec")):
        return _of_plugin(plugin)
    headers = {}
    if token := _token(user):
        headers["Authorization"] = f"Bearer {token}"
    elif name := text(user.get("username")):
        pair = base64.b64encode(f"{name}:{text(user.get('password'))}".encode())
        headers["Authorization"] = f"Basic {pair.decode()}"
    certificate, key = target.material("client-certificate"), target.material("client-key")
    return Credentials(headers=headers, certificate=certificate, key=key)


def tls(target: Target, shown: Credentials) -> ssl.SSLContext:
    """Return the context of all connections to the target. Raises InvalidArgument for what is no certificate."""
    authority = target.material("certificate-authority")
    try:
        context = ssl.create_default_context(cadata=authority.decode() if authority else None)
        if target.cluster.get("insecure-skip-tls-verify") is True:
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        if shown.certificate and shown.key:
            _show(context, shown.certificate, shown.key)
    except (ssl.SSLError, ValueError) as error:
        raise InvalidArgument(f"the certificates of the kubeconfig can not be used: {error}") from None
    return context


def _show(context: ssl.SSLContext, certificate: bytes, key: bytes) -> None:
    # load_cert_chain takes paths only: this one leads to a file that is nowhere but in memory.
    fd = os.memfd_create("kubeconfig")
    with open(fd, "wb") as file:
        file.write(certificate + b"\n" + key)
        file.flush()
        context.load_cert_chain(f"/proc/self/fd/{fd}")


def _token(user: Object) -> str:
    if token := text(user.get("token")):
        return token
    if path := text(user.get("tokenFile")):
        try:
            return Path(path).read_text().strip()
        except OSError as error:
            raise InvalidArgument(f"unable to read {path}: {error.strerror}") from None
    return ""


def _of_plugin(plugin: Object) -> Credentials:
    """Run the program that a kubeconfig names, and take what it says."""
    command = [text(plugin.get("command")), *map(text, array(plugin.get("args")))]
    info: dict[str, JSON] = {"apiVersion": plugin.get("apiVersion"), "kind": "ExecCredential"}
    asked = msgspec.json.encode({**info, "spec": {"interactive": False}}).decode()
    env = {text(each.get("name")): text(each.get("value")) for each in objects(plugin.get("env"))}
    with tempfile.TemporaryFile() as said:
        try:
            done = subprocess.run(
                command,
                env={**os.environ, **env, "KUBERNETES_EXEC_INFO": asked},
                stdin=subprocess.DEVNULL,
                stdout=said,
                timeout=_PLUGIN_S,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise Unauthenticated(f"getting credentials: exec: {error}") from None
        if done.returncode:
            raise Unauthenticated(
                f"getting credentials: exec: executable {command[0]} failed with exit code {done.returncode}"
            )
        said.seek(0)
        return _of_answer(said.read())


def _of_answer(said: bytes) -> Credentials:
    try:
        status = mapping(at(msgspec.json.decode(said), "status"))
    except msgspec.MsgspecError:
        raise Unauthenticated("getting credentials: the plugin's answer is no ExecCredential") from None
    token = text(status.get("token"))
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    certificate, key = (text(status.get(name)).encode() for name in ("clientCertificateData", "clientKeyData"))
    return Credentials(headers=headers, certificate=certificate or None, key=key or None)
