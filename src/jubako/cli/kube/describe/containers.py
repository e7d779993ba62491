"""The containers of a pod, or of a template that has no status yet."""

from __future__ import annotations

from jubako.cli.kube.describe.sheet import Sheet, date, plain, quantities, truth, words
from jubako.cluster.types.document import JSON, Object, array, at, integer, mapping, objects, text
from jubako.cluster.types.quantity import Quantity

_FIELDS = ("metadata.name", "metadata.namespace", "metadata.uid")


def containers(
    sheet: Sheet, title: str, specs: JSON, statuses: JSON = None, pod: Object | None = None, *, inner: bool = False
) -> None:
    """Write containers one below the other; `inner` says that they stand within a template."""
    by_name = {text(each.get("name")): each for each in objects(statuses)}
    found = objects(specs)
    sheet.line(int(inner), f"{title}:" + ("" if found else " <none>"))
    for spec in found:
        status = by_name.get(text(spec.get("name")))
        sheet.line(1, f"{' ' * inner}{text(spec.get('name'))}:")
        _basics(sheet, spec, status)
        _commands(sheet, spec)
        if status is not None:
            _state(sheet, "State", mapping(status.get("state")))
            if at(status, "lastState", "terminated"):
                _state(sheet, "Last State", mapping(status.get("lastState")))
            sheet.line(2, "Ready:", truth(status.get("ready")))
            sheet.line(2, "Restart Count:", plain(status.get("restartCount"), "0"))
        quantities(sheet, 2, "Limits", at(spec, "resources", "limits"))
        quantities(sheet, 2, "Requests", at(spec, "resources", "requests"))
        for name in ("liveness", "readiness", "startup"):
            if probe := mapping(spec.get(f"{name}Probe")):
                sheet.line(2, f"{name.title()}:", probe_text(probe))
        _sources(sheet, spec)
        _environment(sheet, spec, pod)
        _mounts(sheet, spec)


def _basics(sheet: Sheet, spec: Object, status: Object | None) -> None:
    if status is not None:
        sheet.line(2, "Container ID:", text(status.get("containerID")))
    sheet.line(2, "Image:", text(spec.get("image")))
    if status is not None:
        sheet.line(2, "Image ID:", text(status.get("imageID")))
    ports = objects(spec.get("ports"))
    for title, field in (("Port", "containerPort"), ("Host Port", "hostPort")):
        found = ", ".join(f"{integer(each.get(field))}/{text(each.get('protocol')) or 'TCP'}" for each in ports)
        sheet.line(2, f"{title}s:" if len(ports) > 1 else f"{title}:", found or "<none>")
    if profile := mapping(at(spec, "securityContext", "seccompProfile")):
        sheet.line(2, "SeccompProfile:", text(profile.get("type")))
        if profile.get("type") == "Localhost":
            sheet.line(3, "LocalhostProfile:", text(profile.get("localhostProfile")))


def _commands(sheet: Sheet, spec: Object) -> None:
    for title, field in (("Command", "command"), ("Args", "args")):
        if given := array(spec.get(field)):
            sheet.line(2, f"{title}:")
            for line in (line for word in given for line in text(word).split("\n")):
                sheet.line(3, line)


def _state(sheet: Sheet, title: str, state: Object) -> None:
    if running := mapping(state.get("running")):
        sheet.line(2, f"{title}:", "Running")
        sheet.line(3, "Started:", date(running.get("startedAt")))
        return
    ended = mapping(state.get("terminated"))
    sheet.line(2, f"{title}:", "Terminated" if ended else "Waiting")
    for name in ("reason", "message") if ended else ("reason",):
        if said := text(at(ended or state.get("waiting"), name)):
            sheet.line(3, f"{name.title()}:", *said.split("\t"))
    if ended:
        sheet.line(3, "Exit Code:", plain(ended.get("exitCode"), "0"))
        if integer(ended.get("signal")) > 0:
            sheet.line(3, "Signal:", plain(ended.get("signal")))
        sheet.line(3, "Started:", date(ended.get("startedAt")))
        sheet.line(3, "Finished:", date(ended.get("finishedAt")))


def probe_text(probe: Object) -> str:
    """Return a probe in one line."""
    names = (("delay", "initialDelaySeconds", 0), ("timeout", "timeoutSeconds", 1), ("period", "periodSeconds", 10))
    timing = " ".join(f"{name}={integer(probe.get(field), absent)}s" for name, field, absent in names)
    success, failure = integer(probe.get("successThreshold"), 1), integer(probe.get("failureThreshold"), 3)
    return f"{_asked(probe)} {timing} #success={success} #failure={failure}"


def _asked(probe: Object) -> str:
    if "exec" in probe:
        return f"exec {words(at(probe, 'exec', 'command'))}"
    if http := mapping(probe.get("httpGet")):
        scheme, path = text(http.get("scheme")).lower() or "http", text(http.get("path"))
        return f"http-get {scheme}://{text(http.get('host'))}:{plain(http.get('port'))}{path}"
    if tcp := mapping(probe.get("tcpSocket")):
        return f"tcp-socket {text(tcp.get('host'))}:{plain(tcp.get('port'))}"
    if "grpc" in probe:
        return f"grpc <pod>:{plain(at(probe, 'grpc', 'port'))} {text(at(probe, 'grpc', 'service'))}"
    return "unknown"


def _sources(sheet: Sheet, spec: Object) -> None:
    found = objects(spec.get("envFrom"))
    if found:
        sheet.line(2, "Environment Variables from:")
    for each in found:
        kind, field = ("ConfigMap", "configMapRef") if "configMapRef" in each else ("Secret", "secretRef")
        prefix = f" with prefix '{text(each.get('prefix'))}'" if each.get("prefix") else ""
        optional = plain(at(each, field, "optional"), "false")
        sheet.line(3, text(at(each, field, "name")), kind + prefix, f"Optional: {optional}")


def _environment(sheet: Sheet, spec: Object, pod: Object | None) -> None:
    found = objects(spec.get("env"))
    sheet.line(2, *(["Environment:"] if found else ["Environment:", "<none>"]))
    for each in found:
        name, source = f"{text(each.get('name'))}:", mapping(each.get("valueFrom"))
        if not source:
            first, *more = text(each.get("value")).split("\n")
            sheet.line(3, name, first)
            for line in more:
                sheet.line(3, "", line)
        else:
            sheet.line(3, name, *_from(source, pod, spec))


def _from(source: Object, pod: Object | None, spec: Object) -> list[str]:
    """Return where the value of a variable comes from."""
    if field := mapping(source.get("fieldRef")):
        path = text(field.get("fieldPath"))
        return [f"{_field(pod, path)} ({text(field.get('apiVersion')) or 'v1'}:{path})"]
    if of_resource := mapping(source.get("resourceFieldRef")):
        name = text(of_resource.get("resource"))
        given = plain(at(spec, "resources", *name.split(".", 1)), "0")
        amount = str(Quantity.parse(given).value)
        return [f"{'node allocatable' if amount == '0' and name.startswith('limits.') else amount} ({name})"]
    of_secret = "secretKeyRef" in source
    key = mapping(source.get("secretKeyRef" if of_secret else "configMapKeyRef"))
    where = f"in secret '{text(key.get('name'))}'" if of_secret else f"of config map '{text(key.get('name'))}'"
    return [f"<set to the key '{text(key.get('key'))}' {where}>", f"Optional: {plain(key.get('optional'), 'false')}"]


def _field(pod: Object | None, path: str) -> str:
    """Return what a field of the pod is, of those whose value kubectl shows."""
    return text(at(pod, *path.split("."))) if path in _FIELDS else ""


def _mounts(sheet: Sheet, spec: Object) -> None:
    found = sorted(objects(spec.get("volumeMounts")), key=lambda each: text(each.get("mountPath")))
    sheet.line(2, *(["Mounts:"] if found else ["Mounts:", "<none>"]))
    for each in found:
        flags = "ro" if each.get("readOnly") is True else "rw"
        if below := text(each.get("subPath")):
            flags += f',path="{below}"'
        sheet.line(3, f"{text(each.get('mountPath'))} from {text(each.get('name'))} ({flags})")
    devices = sorted(objects(spec.get("volumeDevices")), key=lambda each: text(each.get("devicePath")))
    if devices:
        sheet.line(2, "Devices:")
    for each in devices:
        sheet.line(3, f"{text(each.get('devicePath'))} from {text(each.get('name'))}")
