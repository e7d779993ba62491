from __future__ import annotations

import pytest

from jubako.errors import (
    InvalidArgument,
    NotFound,
    PermissionDenied,
    ResourceExhausted,
    Unauthenticated,
    Unavailable,
)
from jubako.registry.client.failure import refused


def body(code: str, message: str) -> bytes:
    return b'{"errors":[{"code":"%s","message":"%s"}]}' % (code.encode(), message.encode())


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, InvalidArgument),
        (401, Unauthenticated),
        (403, PermissionDenied),
        (404, NotFound),
        (405, InvalidArgument),
        (413, ResourceExhausted),
        (418, InvalidArgument),
        (429, ResourceExhausted),
        (500, Unavailable),
        (507, ResourceExhausted),
        (599, Unavailable),
    ],
)
def test_each_status_has_its_kind(status, kind):
    error = refused(status, b"<html>", subject="app:v1", registry="r.example")
    assert type(error) is kind
    assert error.message.startswith(("app:v1: ", "manifest for app:v1 not found"))


def test_unknown_manifest_in_dockers_words():
    error = refused(404, body("MANIFEST_UNKNOWN", "manifest unknown"), subject="app:v1", registry="r.example")
    assert error.message == "manifest for app:v1 not found: manifest unknown: manifest unknown"


def test_refused_access_says_how_to_log_in():
    denied = "pull access denied for app, repository does not exist or may require 'jubako login'"
    error = refused(
        401, body("UNAUTHORIZED", "authentication required"), subject="x", registry="r.example", denied=denied
    )
    assert error.message == f"{denied}: unauthorized: authentication required"
    assert error.hint == "log in first: jubako login r.example"


@pytest.mark.parametrize("answer", [b"", b"{}", b'{"errors": 5}', b"[" * 5000, b'{"errors":[{}]}', b"\xff"])
def test_nonsense_from_a_registry_is_still_an_error_with_a_message(answer):
    assert refused(500, answer, subject="x", registry="r.example").message
