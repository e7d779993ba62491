"""Who a container runs as, what a node refuses, what cgroups enforce, and what secrets have for a registry."""

from __future__ import annotations

import base64
import json
import os
from typing import Any

import pytest
from tests.unit.cluster.node.scenes import pod

from jubako.cluster.node import resources, secrets
from jubako.cluster.node.environment import Missing
from jubako.cluster.node.identity import check_user
from jubako.cluster.node.refusing import refusal
from jubako.cluster.types.document import Object

WHERE = '(pod: "p_n(u)", container: a)'


@pytest.mark.parametrize(
    ("own", "image_user", "why"),
    [
        ({}, "0:5", f"container has runAsNonRoot and image will run as root {WHERE}"),
        ({}, "", f"container has runAsNonRoot and image will run as root {WHERE}"),
        ({"runAsUser": 0}, "7", f"container's runAsUser breaks non-root policy {WHERE}"),
        (
            {},
            "joe:staff",
            f"container has runAsNonRoot and image has non-numeric user (joe), cannot verify user is non-root {WHERE}",
        ),
    ],
)
def test_who_may_be_root_is_refused_where_a_pod_may_not(own: Object, image_user: str, why: str) -> None:
    document = pod(securityContext={"runAsNonRoot": True})
    with pytest.raises(Missing) as refused:
        check_user(document, {"name": "a", "securityContext": own}, image_user)
    assert str(refused.value) == why


def test_who_is_not_root_may_run() -> None:
    document = pod(securityContext={"runAsNonRoot": True})
    check_user(document, {"name": "a"}, "7:0")
    check_user(document, {"name": "a", "securityContext": {"runAsUser": 5}}, "")
    check_user(document, {"name": "a", "securityContext": {"runAsNonRoot": False}}, "")


def refused(*, has_apparmor: bool = False, **spec: Any) -> tuple[str, str] | None:
    found = refusal(pod(**spec), has_apparmor=has_apparmor)
    return (found.reason, found.message) if found else None


def sysctl(name: str) -> Object:
    return {"sysctls": [{"name": name, "value": "1"}]}


def test_sysctls_that_are_not_safe_are_refused() -> None:
    assert refused(securityContext=sysctl("kernel.shm_rmid_forced")) is None
    assert refused(securityContext=sysctl("net/ipv4/tcp_syncookies")) is None
    why = 'forbidden sysctl: "kernel.msgmax" not allowlisted'
    assert refused(securityContext=sysctl("kernel.msgmax")) == ("SysctlForbidden", why)
    why = 'forbidden sysctl: "net.ipv4.tcp_syncookies" not allowed with host net enabled'
    assert refused(securityContext=sysctl("net.ipv4.tcp_syncookies"), hostNetwork=True) == ("SysctlForbidden", why)
    why = 'forbidden sysctl: "kernel.shm_rmid_forced" not allowed with host ipc enabled'
    assert refused(securityContext=sysctl("kernel.shm_rmid_forced"), hostIPC=True) == ("SysctlForbidden", why)


def test_apparmor_is_refused_where_the_host_has_none() -> None:
    profile: Object = {"appArmorProfile": {"type": "RuntimeDefault"}}
    why = "Cannot enforce AppArmor: AppArmor is not enabled on the host"
    assert refused(securityContext=profile) == ("AppArmor", why)
    assert refused(securityContext=profile, has_apparmor=True) is None
    assert refused(securityContext={"appArmorProfile": {"type": "Unconfined"}}) is None


def asking(name: str, cpu: str = "", memory: str = "", limits: Object | None = None, **more: Any) -> Object:
    requests: Object = {key: value for key, value in (("cpu", cpu), ("memory", memory)) if value}
    return {"name": name, "resources": {"requests": requests, "limits": limits or {}}, **more}


def test_the_limits_of_a_pod_are_those_of_its_containers_together() -> None:
    both: Object = {"cpu": "500m", "memory": "64Mi"}
    found = resources.of_pod(pod(asking("a", "250m", limits=both), asking("b", "250m", limits=both)))
    assert found == {
        "memory": 128 << 20, "memory_swap": 128 << 20, "cpu_shares": 512, "cpu_period": 100_000, "cpu_quota": 100_000,
    }  # fmt: skip
    assert resources.of_pod(pod(asking("a", limits=both), asking("b")))["memory"] == 0
    assert resources.of_pod(pod(asking("a"))) == {
        "memory": 0, "memory_swap": 0, "cpu_shares": 2, "cpu_period": 0, "cpu_quota": 0,
    }  # fmt: skip


def test_init_containers_need_room_one_after_the_other_and_sidecars_all_the_time() -> None:
    side = asking("side", "1", restartPolicy="Always")
    assert resources.of_pod(pod(asking("a", "1"), init=[asking("i", "3"), side]))["cpu_shares"] == 3 * 1024
    assert resources.of_pod(pod(asking("a", "1"), init=[side, asking("i", "3")]))["cpu_shares"] == 4 * 1024
    assert resources.of_pod(pod(asking("a", "5"), init=[side]))["cpu_shares"] == 6 * 1024


def test_who_asked_for_least_goes_first() -> None:
    half = str(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2)
    assert resources.oom_score_adj(asking("a"), "Guaranteed") == -997
    assert resources.oom_score_adj(asking("a"), "BestEffort") == 1000
    assert resources.oom_score_adj(asking("a"), "Burstable") == 999
    assert resources.oom_score_adj(asking("a", memory=half), "Burstable") in (500, 501)
    assert resources.oom_score_adj(asking("a", memory=f"{half}000"), "Burstable") == 3


def secret(**entries: Any) -> Object:
    return {
        "kind": "Secret",
        "data": {k: base64.b64encode(json.dumps(v).encode()).decode() for k, v in entries.items()},
    }


def test_secrets_have_credentials_for_a_registry() -> None:
    auth = {"auth": base64.b64encode(b"joe:pass").decode()}
    known = {
        "new": secret(**{".dockerconfigjson": {"auths": {"reg.example:5000": auth}}}),
        "old": secret(**{".dockercfg": {"reg.example:5000": {"username": "jim", "password": "word"}}}),
        "other": secret(**{".dockerconfigjson": {"auths": {"elsewhere.example": auth}}}),
        "broken": {"kind": "Secret", "data": {".dockercfg": base64.b64encode(b"{").decode()}},
    }
    names = [{"name": name} for name in ("new", "none", "old", "other", "broken")]
    found, missing = secrets.credentials(
        pod(imagePullSecrets=names), "reg.example:5000/app:1", lambda kind, name: known.get(name)
    )
    assert [(each.user, each.password) for each in found] == [("joe", "pass"), ("jim", "word")]
    assert missing == ["none", "broken"]
    assert secrets.credentials(pod(), "app", lambda kind, name: None) == ([], [])
