"""kubectl and pods: hooks, probes, ends and refusals, with the words that Kubernetes has for them."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.clients.kube_case import becomes, container, events, read, run, state, waiting
from tests.clients.kubectl import Kubectl
from tests.clients.test_kubectl import kubectl
from tests.unit.cluster.node import servers

__all__ = ["kubectl"]
pytestmark = [pytest.mark.clients, pytest.mark.root]


def command(*words: str, **more: object) -> dict[str, object]:
    return {"exec": {"command": list(words)}, **more}


def test_a_container_runs_once_its_post_start_hook_is_done(kubectl: Kubectl) -> None:
    hook = {"postStart": command("sh", "-c", "sleep 2; echo done > /tmp/hooked")}
    first, second = container("first", lifecycle=hook), container("second")
    run(kubectl, "hooked", first, second, ready=False)
    becomes(lambda: ("Started", "Started container first") in events(kubectl, "hooked"), True)
    assert waiting(kubectl, "hooked")[0] == "ContainerCreating"
    assert ("Started", "Started container second") not in events(kubectl, "hooked")
    kubectl("wait", "--for=condition=Ready", "pod/hooked", "--timeout=20s")
    assert kubectl("exec", "hooked", "-c", "first", "--", "cat", "/tmp/hooked") == "done\n"
    kubectl("delete", "pod", "hooked")


def test_a_failed_post_start_hook_ends_its_container(kubectl: Kubectl) -> None:
    hook = {"postStart": command("sh", "-c", "echo secret; exit 3")}
    run(kubectl, "unhooked", container(lifecycle=hook), ready=False)
    becomes(lambda: waiting(kubectl, "unhooked")[0] in ("PostStartHookError", "CrashLoopBackOff"), True)
    found = events(kubectl, "unhooked")
    assert ("FailedPostStartHook", "PostStartHook failed") in found
    assert ("Killing", "FailedPostStartHook") in found
    assert "secret" not in str(found)
    kubectl("delete", "pod", "unhooked")


def test_a_pod_that_is_deleted_does_not_wait_for_its_post_start_hook(kubectl: Kubectl) -> None:
    run(kubectl, "hanging", container(lifecycle={"postStart": command("sleep", "1000")}), ready=False)
    becomes(lambda: ("Started", "Started container main") in events(kubectl, "hanging"), True)
    kubectl("delete", "pod", "hanging", "--timeout=15s")


def test_a_pre_stop_hook_comes_before_the_signal_and_sidecars_end_last(kubectl: Kubectl, tmp_path: Path) -> None:
    mount = {"volumeMounts": [{"name": "v", "mountPath": "/v"}]}
    hook = {"preStop": command("sh", "-c", "sleep 1; echo hook >> /v/log")}
    main = ended_by_term(container(lifecycle=hook, **mount), "echo TERM")
    sidecars = [{**container(name, **mount), "restartPolicy": "Always"} for name in ("first", "second")]
    initial = [ended_by_term(each, f"echo {each['name']}") for each in sidecars]
    volumes = [{"name": "v", "hostPath": {"path": str(tmp_path)}}]
    run(kubectl, "ordered", main, initContainers=initial, volumes=volumes, terminationGracePeriodSeconds=10)
    kubectl("delete", "pod", "ordered", "--timeout=20s")
    assert (tmp_path / "log").read_text().split() == ["hook", "TERM", "second", "first"]


def ended_by_term(of: dict[str, Any], doing: str) -> dict[str, Any]:
    return {**of, "command": ["sh", "-c", f"trap '{doing} >> /v/log; exit 0' TERM; sleep 1000 & wait"]}


def test_a_failed_pre_stop_hook_is_told_and_one_that_hangs_is_left(kubectl: Kubectl) -> None:
    failing = container("failing", lifecycle={"preStop": command("false")})
    hanging = container("hanging", lifecycle={"preStop": {"sleep": {"seconds": 100}}})
    run(kubectl, "stubborn", failing, hanging, terminationGracePeriodSeconds=101)
    begun = time.monotonic()
    kubectl("delete", "pod", "stubborn", "--grace-period=3", "--timeout=20s")
    assert 2.5 < time.monotonic() - begun < 10
    found = events(kubectl, "stubborn")
    assert ("FailedPreStopHook", "PreStopHook failed") in found
    assert ("Killing", "Stopping container hanging") in found


def test_a_liveness_probe_restarts_and_a_startup_probe_gives_time(kubectl: Kubectl) -> None:
    liveness = command("test", "!", "-e", "/tmp/ill", periodSeconds=1, failureThreshold=1)
    startup = command("test", "-e", "/tmp/up", periodSeconds=1, failureThreshold=30)
    run(kubectl, "ill", container(livenessProbe=liveness, startupProbe=startup), ready=False)
    becomes(lambda: "running" in state(kubectl, "ill"), True)
    assert read(kubectl, "pod", "ill")["status"]["containerStatuses"][0]["started"] is False
    kubectl("exec", "ill", "--", "touch", "/tmp/up")
    kubectl("wait", "--for=condition=Ready", "pod/ill", "--timeout=20s")
    kubectl("exec", "ill", "--", "touch", "/tmp/ill")
    becomes(lambda: read(kubectl, "pod", "ill")["status"]["containerStatuses"][0]["restartCount"], 1)
    said = [message for reason, message in events(kubectl, "ill") if reason in ("Unhealthy", "Killing")]
    assert "Container main failed liveness probe, will be restarted" in said
    assert any(message.startswith("Startup probe failed: ") for message in said)
    assert any(message.startswith("Liveness probe failed: ") for message in said)
    kubectl("delete", "pod", "ill")


def test_a_readiness_probe_speaks_http_to_the_pod(kubectl: Kubectl) -> None:
    serving = "mkdir /www; cd /www; httpd -f -p 80"
    probe = {"httpGet": {"port": "web", "path": "/ready"}, "periodSeconds": 1, "failureThreshold": 1}
    main = container("main", serving, readinessProbe=probe, ports=[{"name": "web", "containerPort": 80}])
    run(kubectl, "serving", main, ready=False)
    said = ("Unhealthy", "Readiness probe failed: HTTP probe failed with statuscode: 404")
    becomes(lambda: said in events(kubectl, "serving"), True)
    conditions = {each["type"]: each for each in read(kubectl, "pod", "serving")["status"]["conditions"]}
    assert conditions["Ready"]["reason"] == "ContainersNotReady"
    assert conditions["Ready"]["message"] == "containers with unready status: [main]"
    kubectl("exec", "serving", "--", "touch", "/www/ready")
    kubectl("wait", "--for=condition=Ready", "pod/serving", "--timeout=10s")
    kubectl("exec", "serving", "--", "rm", "/www/ready")
    kubectl("wait", "--for=condition=Ready=false", "pod/serving", "--timeout=10s")
    kubectl("delete", "pod", "serving")


@contextmanager
def serving_health(states: dict[str, int | tuple[int, str]], port: int) -> Iterator[None]:
    loop = asyncio.new_event_loop()
    over = asyncio.Event()

    async def serve() -> None:
        async with servers.health(states, port, "0.0.0.0"):  # the node has an address of its own
            await over.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),))
    thread.start()
    try:
        yield
    finally:
        loop.call_soon_threadsafe(over.set)
        thread.join(10)


def test_a_probe_speaks_grpc(kubectl: Kubectl) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    states: dict[str, int | tuple[int, str]] = {"up": 1, "down": 2}
    with serving_health(states, port):
        probes = [{"grpc": {"port": port, "service": name}, "periodSeconds": 1} for name in ("up", "down")]
        mains = [container(f"c{n}", readinessProbe=probe) for n, probe in enumerate(probes)]
        run(kubectl, "grpc", *mains, ready=False, hostNetwork=True)
        said = 'Readiness probe failed: service unhealthy (responded with "NOT_SERVING")'
        becomes(lambda: ("Unhealthy", said) in events(kubectl, "grpc"), True)
        assert [each["ready"] for each in read(kubectl, "pod", "grpc")["status"]["containerStatuses"]] == [True, False]
        kubectl("delete", "pod", "grpc")


def test_last_words_are_told(kubectl: Kubectl) -> None:
    wrote = container("wrote", terminationMessagePath="/tmp/words")
    wrote["command"] = ["sh", "-c", "echo log; printf bye > /tmp/words; exit 3"]
    logged = container("logged", terminationMessagePolicy="FallbackToLogsOnError")
    logged["command"] = ["sh", "-c", "seq 100; printf end; exit 4"]
    silent = container("silent")
    silent["command"] = ["sh", "-c", "echo log; exit 0"]
    run(kubectl, "words", wrote, logged, silent, restartPolicy="Never", ready=False)
    becomes(lambda: read(kubectl, "pod", "words")["status"]["phase"], "Failed")
    names = ("wrote", "logged", "silent")
    first, second, third = (state(kubectl, "words", "state", name)["terminated"] for name in names)
    assert (first["exitCode"], first["reason"], first["message"]) == (3, "Error", "bye")
    assert second["message"] == "".join(f"{n}\n" for n in range(22, 101)) + "end"
    assert (third["reason"], "message" in third) == ("Completed", False)
    status = read(kubectl, "pod", "words")["status"]
    assert status["podIP"]
    assert kubectl("logs", "words", "-c", "wrote") == "log\n"
    kubectl("delete", "pod", "words")


def test_the_restarts_of_a_failing_container_are_put_off(kubectl: Kubectl) -> None:
    main = container()
    main["command"] = ["sh", "-c", "exit 7"]
    run(kubectl, "crashing", main, ready=False)
    becomes(lambda: waiting(kubectl, "crashing")[0], "CrashLoopBackOff")
    uid = read(kubectl, "pod", "crashing")["metadata"]["uid"]
    where = f"crashing_default({uid})"
    assert waiting(kubectl, "crashing")[1] == f"back-off 10s restarting failed container=main pod={where}"
    assert state(kubectl, "crashing", "lastState")["terminated"]["exitCode"] == 7
    assert ("BackOff", f"Back-off restarting failed container main in pod {where}") in events(kubectl, "crashing")
    kubectl("delete", "pod", "crashing")
