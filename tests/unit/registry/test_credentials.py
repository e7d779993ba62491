from __future__ import annotations

import json
import stat

import pytest

from jubako.errors import InvalidArgument, Unavailable
from jubako.registry.client.credentials import AuthFile, Credentials, default_path

HELPER = """#!/bin/sh
store="{store}"
case $1 in
get) read -r key; [ -e "$store" ] || {{ echo "credentials not found in native keychain"; exit 1; }}; cat "$store" ;;
store) cat > "$store" ;;
erase) [ -e "$store" ] || {{ echo "credentials not found in native keychain"; exit 1; }}; rm "$store" ;;
esac
"""


@pytest.fixture
def file(tmp_path):
    return AuthFile(tmp_path / "config.json")


@pytest.fixture
def helper(tmp_path, monkeypatch):
    """A credential helper called `test` that keeps one entry in a file."""
    program = tmp_path / "docker-credential-test"
    program.write_text(HELPER.format(store=tmp_path / "secret"))
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    return tmp_path / "secret"


def test_nothing_is_kept_without_a_file(file):
    assert file.find("registry.example") is None
    assert file.erase("registry.example") is False


def test_stored_credentials_are_found_and_other_settings_stay(file):
    file.path.write_text('{"detachKeys": "ctrl-x", "auths": {"other.example": {"auth": "YTpi"}}}')
    assert file.store("registry.example:5000", Credentials("ann", "pass:word")) == str(file.path)
    assert file.find("registry.example:5000") == Credentials("ann", "pass:word")
    assert file.find("other.example") == Credentials("a", "b")
    assert json.loads(file.path.read_text())["detachKeys"] == "ctrl-x"
    assert stat.S_IMODE(file.path.stat().st_mode) == 0o600
    assert file.erase("registry.example:5000") is True
    assert file.find("registry.example:5000") is None


def test_docker_hub_is_kept_under_dockers_own_key(file):
    file.store("docker.io", Credentials("ann", "x"))
    assert list(json.loads(file.path.read_text())["auths"]) == ["https://index.docker.io/v1/"]
    assert file.find("docker.io") == Credentials("ann", "x")


def test_old_keys_are_urls(file):
    file.path.write_text('{"auths": {"https://registry.example/v1/": {"auth": "YTpi"}}}')
    assert file.find("registry.example") == Credentials("a", "b")
    assert file.find("example") is None


def test_identity_token_is_found(file):
    file.path.write_text('{"auths": {"r.example": {"auth": "YTo=", "identitytoken": "t"}}}')
    assert file.find("r.example") == Credentials("a", "", "t")


def test_helper_keeps_the_secret_and_the_file_does_not(file, helper):
    file.path.write_text('{"credsStore": "test"}')
    assert file.store("r.example", Credentials("ann", "secret")) is None
    assert json.loads(helper.read_text()) == {"ServerURL": "r.example", "Username": "ann", "Secret": "secret"}
    assert "secret" not in file.path.read_text()
    assert file.find("r.example") == Credentials("ann", "secret")
    assert file.erase("r.example") is True
    assert file.find("r.example") is None


def test_helper_for_one_registry(file, helper):
    file.path.write_text('{"credHelpers": {"r.example": "test"}, "auths": {"other.example": {"auth": "YTpi"}}}')
    helper.write_text('{"ServerURL": "r.example", "Username": "<token>", "Secret": "t"}')
    assert file.find("r.example") == Credentials(identity_token="t")
    assert file.find("other.example") == Credentials("a", "b")


def test_helper_that_is_not_installed_is_named(file):
    file.path.write_text('{"credsStore": "nowhere"}')
    with pytest.raises(Unavailable, match="docker-credential-nowhere is not installed"):
        file.find("r.example")


def test_helper_name_is_no_path(file):
    file.path.write_text('{"credsStore": "../evil"}')
    with pytest.raises(InvalidArgument, match="invalid name"):
        file.find("r.example")


def test_damaged_file_is_named(file):
    file.path.write_text("{")
    with pytest.raises(InvalidArgument, match="not valid JSON"):
        file.find("r.example")


def test_where_the_file_is(monkeypatch):
    monkeypatch.delenv("JUBAKO_AUTH_FILE", raising=False)
    monkeypatch.setenv("DOCKER_CONFIG", "/etc/x")
    assert str(default_path()) == "/etc/x/config.json"
    monkeypatch.setenv("JUBAKO_AUTH_FILE", "/elsewhere")
    assert str(default_path()) == "/elsewhere"


def test_password_does_not_show_in_a_traceback():
    assert "secret" not in repr(Credentials("ann", "secret", "token"))
