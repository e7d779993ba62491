"""What paths mean."""

from __future__ import annotations

import pytest

from jubako.cluster.apiserver.attributes import attributes

NS = "/api/v1/namespaces/n"
CASES = [
    ("GET", "/api/v1/pods", ("list", "pods", "", "", "")),
    ("GET", f"{NS}/pods", ("list", "pods", "n", "", "")),
    ("POST", f"{NS}/pods", ("create", "pods", "n", "", "")),
    ("DELETE", f"{NS}/pods", ("deletecollection", "pods", "n", "", "")),
    ("GET", f"{NS}/pods/p", ("get", "pods", "n", "p", "")),
    ("PUT", f"{NS}/pods/p/status", ("update", "pods", "n", "p", "status")),
    ("POST", f"{NS}/pods/p/exec", ("create", "pods", "n", "p", "exec")),
    ("PATCH", "/apis/apps/v1/namespaces/n/deployments/d/scale", ("patch", "deployments", "n", "d", "scale")),
    ("GET", "/api/v1/namespaces/n", ("get", "namespaces", "", "n", "")),
    ("PUT", f"{NS}/finalize", ("update", "namespaces", "", "n", "finalize")),
    ("PUT", f"{NS}/status", ("update", "namespaces", "", "n", "status")),
    ("DELETE", "/api/v1/nodes/one", ("delete", "nodes", "", "one", "")),
    ("BREW", f"{NS}/pods/p", ("", "pods", "n", "p", "")),
]


@pytest.mark.parametrize(("method", "path", "wanted"), CASES)
def test_a_path_and_a_method_name_verb_and_object(method: str, path: str, wanted: tuple[str, ...]) -> None:
    found = attributes(method, path)
    assert found is not None
    below = found.subresource.name if found.subresource else ""
    assert (found.verb, found.resource.plural, found.namespace, found.name, below) == wanted


@pytest.mark.parametrize(
    "path",
    [
        "/", "/api", "/api/v1", "/apis/apps", "/apis/apps/v1", "/version", "/api/v2/pods", "/api/v1/ships",
        "/api/v1/pods/p", f"{NS}/nodes/one", f"{NS}/pods/p/dance", "/apis/apps/v1/namespaces/n", "/api//pods", "//",
    ],
)  # fmt: skip
def test_what_is_not_served_names_nothing(path: str) -> None:
    assert attributes("GET", path) is None


def test_a_watch_is_of_a_collection() -> None:
    of_all, of_one = attributes("GET", f"{NS}/pods", watch=True), attributes("GET", f"{NS}/pods/p", watch=True)
    assert of_all is not None
    assert of_one is not None
    assert (of_all.verb, of_one.verb) == ("watch", "get")


def test_a_proxy_has_the_rest_of_its_path() -> None:
    found = attributes("GET", f"{NS}/services/s/proxy/a/b")
    assert found is not None
    assert found.rest == "a/b"
