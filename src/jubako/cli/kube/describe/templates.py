"""The template of pods, as workloads and the history of rollouts show it."""

from __future__ import annotations

from jubako.cli.kube.describe.containers import containers
from jubako.cli.kube.describe.sheet import Sheet, plain, selector
from jubako.cli.kube.describe.volumes import volumes
from jubako.cluster.types.document import JSON, Object, at, objects, strings, text


def pod_template(template: Object) -> str:
    """Return a template by itself, its columns not aligned, as `rollout history` shows it."""
    sheet = Sheet()
    write_template(sheet, template)
    return sheet.unaligned()


def write_template(sheet: Sheet, template: Object) -> None:
    sheet.line(0, "Pod Template:")
    sheet.labels(1, "Labels", strings(at(template, "metadata", "labels")))
    if annotations := strings(at(template, "metadata", "annotations")):
        sheet.annotations(1, annotations)
    if account := text(at(template, "spec", "serviceAccountName")):
        sheet.line(1, "Service Account:", account)
    if at(template, "spec", "initContainers"):
        containers(sheet, "Init Containers", at(template, "spec", "initContainers"), inner=True)
    containers(sheet, "Containers", at(template, "spec", "containers"), inner=True)
    volumes(sheet, at(template, "spec", "volumes"), inner=True)
    spreading(sheet, 1, at(template, "spec", "topologySpreadConstraints"))
    if priority := text(at(template, "spec", "priorityClassName")):
        sheet.line(1, "Priority Class Name:", priority)
    sheet.labels(1, "Node-Selectors", strings(at(template, "spec", "nodeSelector")))
    sheet.each(1, "Tolerations", tolerations(at(template, "spec", "tolerations")))


def spreading(sheet: Sheet, level: int, constraints: JSON) -> None:
    """Write how pods are spread, where that is said."""
    found = sorted(objects(constraints), key=lambda each: text(each.get("topologyKey")))
    lines = []
    for each in found:
        line = f"{text(each.get('topologyKey'))}:{text(each.get('whenUnsatisfiable'))}"
        line += f" when max skew {plain(each.get('maxSkew'))} is exceeded"
        lines.append(line + (f" for selector {selector(each['labelSelector'])}" if "labelSelector" in each else ""))
    if lines:
        sheet.each(level, "Topology Spread Constraints", lines)


def tolerations(found: JSON) -> list[str]:
    return [_toleration(each) for each in sorted(objects(found), key=lambda each: text(each.get("key")))]


def _toleration(each: Object) -> str:
    key, value, effect = (text(each.get(name)) for name in ("key", "value", "effect"))
    said = key + (f"={value}" if value else "") + (f":{effect}" if effect else "")
    if each.get("operator") == "Exists" and not value:
        said += " op=Exists" if key or effect else "op=Exists"
    seconds = each.get("tolerationSeconds")
    return said + (f" for {seconds}s" if seconds is not None else "")
