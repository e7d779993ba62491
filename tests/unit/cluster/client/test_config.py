from __future__ import annotations

from pathlib import Path

import pytest

from jubako.cluster.client.config import load
from jubako.cluster.client.credentials import credentials
from jubako.errors import FailedPrecondition, InvalidArgument, Unauthenticated

BOTH = """
clusters: [{name: one, cluster: {server: "https://a:1/", certificate-authority: ca.pem}}]
users: [{name: me, user: {token: t}}]
contexts: [{name: c, context: {cluster: one, user: me, namespace: ns}}, {name: d, context: {cluster: one}}]
current-context: c
"""


def write(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


def test_the_current_context_or_the_one_that_is_named(tmp_path: Path) -> None:
    path = write(tmp_path / "config", BOTH)
    target = load([path])
    assert (target.server, target.namespace, target.user) == ("https://a:1", "ns", {"token": "t"})
    assert (load([path], "d").namespace, load([path], "d").user) == ("default", {})


def test_of_several_files_the_first_that_says_something_is_right(tmp_path: Path) -> None:
    first = write(tmp_path / "1", "users: [{name: me, user: {token: mine}}]\n")
    second = write(tmp_path / "2", BOTH)
    assert load([first, tmp_path / "absent", second]).user == {"token": "mine"}


def test_paths_in_a_file_are_seen_from_there(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_bytes(b"CERTIFICATE")
    assert load([write(tmp_path / "config", BOTH)]).material("certificate-authority") == b"CERTIFICATE"


def test_data_in_the_file_goes_before_a_path(tmp_path: Path) -> None:
    text = BOTH.replace(
        "certificate-authority: ca.pem", "certificate-authority: ca.pem, certificate-authority-data: eA=="
    )
    assert load([write(tmp_path / "config", text)]).material("certificate-authority") == b"x"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("contexts: [{name: c, context: {cluster: 'no'}}]\ncurrent-context: c\n", 'cluster "no" does not exist'),
        ("current-context: c\n", 'context "c" does not exist'),
        (BOTH.replace("token: t", "auth-provider: {}"), "auth-provider of a kubeconfig is not supported"),
        (BOTH.replace('"https://a:1/"', '"https://a:1/", proxy-url: p'), "proxy-url of a kubeconfig is not supported"),
    ],
)
def test_what_can_not_be_is_refused_by_name(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(InvalidArgument) as refused:
        load([write(tmp_path / "config", text)])
    assert refused.value.message == message


def test_without_a_file_no_cluster_is_known(tmp_path: Path) -> None:
    with pytest.raises(FailedPrecondition):
        load([tmp_path / "absent"])


@pytest.mark.parametrize(
    ("user", "header"),
    [
        ("token: abc", "Bearer abc"),
        ("tokenFile: token", "Bearer of-file"),
        ("username: u, password: p", "Basic dTpw"),
        (
            'exec: {command: sh, args: [-c, \'echo "{\\"status\\":{\\"token\\":\\"$T\\"}}"\'], '
            "env: [{name: T, value: x}]}",
            "Bearer x",
        ),
    ],
)
def test_what_a_user_shows(tmp_path: Path, user: str, header: str) -> None:
    (tmp_path / "token").write_text("of-file\n")
    target = load([write(tmp_path / "config", BOTH.replace("{token: t}", f"{{{user}}}"))])
    assert credentials(target).headers == {"Authorization": header}


def test_a_plugin_that_fails_says_so(tmp_path: Path) -> None:
    target = load([write(tmp_path / "config", BOTH.replace("token: t", "exec: {command: 'false'}"))])
    with pytest.raises(Unauthenticated, match="executable false failed with exit code 1"):
        credentials(target)
