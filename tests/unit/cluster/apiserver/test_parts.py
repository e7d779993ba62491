"""Parts of an object with verbs of their own, and older versions of one."""

from __future__ import annotations

from typing import Any

import jwt
import pytest
from jwt import PyJWK
from tests.unit.cluster.apiserver.conftest import Cluster, Play, named, pod

from jubako.cluster.apiserver.access.tokens import ISSUER, Bound, Reference
from jubako.cluster.apiserver.failures import Failure
from jubako.cluster.types.document import Object, at, child, mapping

_TIMELESS: Any = {"verify_exp": False, "verify_nbf": False, "verify_iat": False}
PODS = "/api/v1/namespaces/default/pods"


def adding(*names: str, image: str = "debugger", **metadata: Any) -> Any:
    def change(document: Object) -> Object:
        child(document, "metadata").update(metadata)
        child(document, "spec")["ephemeralContainers"] = [{"name": name, "image": image} for name in names]
        return document

    return change


def test_ephemeral_containers_are_added_by_their_part_alone(play: Play) -> None:
    async def scene(cluster: Cluster) -> None:
        await cluster.create("/api/v1/namespaces/default/serviceaccounts", named("default"))
        await cluster.create(PODS, pod())
        with pytest.raises(Failure, match="pod updates may not change fields other than"):
            await cluster.update(f"{PODS}/p", adding("d"))
        made = await cluster.update(f"{PODS}/p/ephemeralcontainers", adding("d", labels={"a": "b"}))
        assert at(made, "spec", "ephemeralContainers") == [
            {
                "name": "d", "image": "debugger", "imagePullPolicy": "Always",
                "terminationMessagePath": "/dev/termination-log", "terminationMessagePolicy": "File",
            }
        ]  # fmt: skip
        assert "labels" not in mapping(made["metadata"])
        managed: Any = at(made, "metadata", "managedFields")
        assert managed[-1]["subresource"] == "ephemeralcontainers"
        assert set(managed[-1]["fieldsV1"]["f:spec"]["f:ephemeralContainers"]) == {".", 'k:{"name":"d"}'}
        with pytest.raises(Failure, match=r'existing ephemeral containers "d" may not be changed'):
            await cluster.update(f"{PODS}/p/ephemeralcontainers", adding("d", image="other"))
        with pytest.raises(Failure, match=r'existing ephemeral containers "d" may not be removed'):
            await cluster.update(f"{PODS}/p/ephemeralcontainers", adding("e"))
        await cluster.update(f"{PODS}/p/ephemeralcontainers", adding("d", "e"))

        def targeting(document: Object) -> Object:
            document = adding("d", "e", "f")(document)
            document["spec"]["ephemeralContainers"][2]["targetContainerName"] = "nobody"  # type: ignore[call-overload,index]
            return document

        with pytest.raises(Failure, match=r'ephemeralContainers\[2\].targetContainerName: Not found: "nobody"'):
            await cluster.update(f"{PODS}/p/ephemeralcontainers", targeting)

    play(scene)


@pytest.mark.parametrize(
    ("newer", "older", "spec"),
    [
        ("/apis/policy/v1/namespaces/default/poddisruptionbudgets", "v1beta1", {"minAvailable": 1}),
        (
            "/apis/batch/v1/namespaces/default/cronjobs",
            "v1beta1",
            {
                "schedule": "* * * * *",
                "jobTemplate": {
                    "spec": {
                        "template": {"spec": {"restartPolicy": "Never", "containers": [{"name": "c", "image": "i"}]}}
                    }
                },
            },
        ),
    ],
)
def test_one_object_is_seen_in_both_of_its_versions(play: Play, newer: str, older: str, spec: Object) -> None:
    async def scene(cluster: Cluster) -> None:
        made = await cluster.create(newer.replace("/v1/", f"/{older}/"), {**named("o"), "spec": spec})
        found = cluster.get(f"{newer}/o")
        assert at(found, "metadata", "uid") == at(made, "metadata", "uid")
        assert str(found["apiVersion"]).endswith("/v1")

    play(scene)


def test_others_verify_a_token_by_the_published_key(play: Play) -> None:
    async def scene(cluster: Cluster) -> None:
        bound = Bound(namespace="default", serviceaccount=Reference("a", "u"))
        token, _ = cluster.api.tokens.issue(bound, 600, ["me"])
        key = cluster.api.tokens.public_key()
        assert jwt.get_unverified_header(token)["kid"] == key["kid"]
        assert not {"d", "p", "q"} & set(key)  # nothing of the private key
        found = jwt.decode(token, PyJWK(key), audience="me", issuer=ISSUER, options=_TIMELESS)
        assert found["sub"] == "system:serviceaccount:default:a"

    play(scene)
