"""Which probe holds a container back, and what it was answered."""

from __future__ import annotations

import re

from jubako.cluster.types.document import Object, array, at, integer, mapping, text
from jubako.cluster.why.facts import Facts, message
from jubako.cluster.why.story import Finding, bad, wait


def asked(probe: Object) -> str:
    """Return what a probe asks, short."""
    if http := mapping(probe.get("httpGet")):
        return f"GET {text(http.get('path')) or '/'} on port {http.get('port')}"
    if tcp := mapping(probe.get("tcpSocket")):
        return f"a connection to port {tcp.get('port')}"
    if grpc := mapping(probe.get("grpc")):
        return f"gRPC health on port {grpc.get('port')}"
    return " ".join(text(each) for each in array(at(probe, "exec", "command")))


def unready(pod: Object, container: Object, status: Object, facts: Facts) -> Finding:
    """Return why a container that runs is not ready."""
    name = text(container.get("name"))
    kind = "startup" if status.get("started") is False and container.get("startupProbe") else "readiness"
    probe = mapping(container.get(f"{kind}Probe"))
    if not probe:
        return wait(f"container {name} runs, and is about to be ready")
    failed = last_failure(pod, kind, facts)
    what = f"{kind} probe ({asked(probe)})"
    started = at(status, "state", "running", "startedAt")
    if not failed:
        delay = integer(probe.get("initialDelaySeconds"))
        since = f"for {facts.ago(started)}" if started else "now"
        first = f"; the first probe comes after {delay}s" if delay else ""
        return wait(f"container {name} runs {since}, and its {what} has not succeeded yet{first}")
    port = mapping(probe.get("httpGet") or probe.get("tcpSocket")).get("port")
    tries = [f"jubako logs pod/{text(at(pod, 'metadata', 'name'))} -c {name}{facts.flags}"]
    if "refused" in failed and port is not None:
        tries.insert(0, f"does the program listen on port {port}, and on 0.0.0.0 rather than 127.0.0.1?")
    return bad(f"container {name} runs, but its {what} fails", *tries, said=[failed])


def last_failure(pod: Object, kind: str, facts: Facts) -> str:
    """Return what the last failure of a kind of probe was; the events of a pod do not tell of which container."""
    found = (message(each) for each in facts.of(pod) if each.get("reason") == "Unhealthy")
    lead = f"{kind.capitalize()} probe"
    said = next((each for each in found if each.startswith(lead)), "")
    return re.sub(rf"^{lead} (failed|errored):? ?", "", said) if said else ""
