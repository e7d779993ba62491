"""What may change in a pod that exists: images, deadlines, tolerations that are added, gates that go; nothing else
of its specification."""

from __future__ import annotations

import copy

from jubako.cluster.types.document import JSON, Object, array, integer, mapping, objects, text
from jubako.cluster.types.validation.errors import Errors

_REFUSAL = (
    "pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,"
    "`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),"
    "`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)"
)


def check_update(errors: Errors, pod: Object, old: Object) -> None:
    spec, was = mapping(pod.get("spec")), mapping(old.get("spec"))
    for name in ("containers", "initContainers"):
        if len(array(spec.get(name))) != len(array(was.get(name))):
            errors.forbidden(f"spec.{name}", "pod updates may not add or remove containers")
            return
    _deadline(errors, spec, was)
    _tolerations(errors, spec, was)
    if objects(spec.get("schedulingGates")) != objects(was.get("schedulingGates")):
        _gates(errors, spec, was)
    if changed := _differences("spec", _restored(spec, was), was):
        errors.forbidden("spec", f"{_REFUSAL}\nchanged: {', '.join(changed)}\n")


def check_ephemeral_update(errors: Errors, pod: Object, old: Object) -> None:
    """Check that ephemeral containers were only added; the caller keeps the rest of the specification."""
    given = {text(each.get("name")): each for each in objects(mapping(pod.get("spec")).get("ephemeralContainers"))}
    for was in objects(mapping(old.get("spec")).get("ephemeralContainers")):
        name = text(was.get("name"))
        if name not in given:
            errors.forbidden("spec.ephemeralContainers", f'existing ephemeral containers "{name}" may not be removed')
        elif given[name] != was:
            errors.forbidden("spec.ephemeralContainers", f'existing ephemeral containers "{name}" may not be changed')


def _deadline(errors: Errors, spec: Object, was: Object) -> None:
    before, after = was.get("activeDeadlineSeconds"), spec.get("activeDeadlineSeconds")
    where = "spec.activeDeadlineSeconds"
    if before is None or before == after:
        return
    if after is None:
        errors.invalid(where, after, "must not update from a positive integer to nil value")
    elif integer(after) > integer(before):
        errors.invalid(where, after, "must be less than or equal to previous value")


def _tolerations(errors: Errors, spec: Object, was: Object) -> None:
    """Those that were stay; only how long they hold may change."""

    def kept(toleration: Object) -> Object:
        return {name: value for name, value in toleration.items() if name != "tolerationSeconds"}

    given = [kept(each) for each in objects(spec.get("tolerations"))]
    if any(kept(each) not in given for each in objects(was.get("tolerations"))):
        detail = "existing toleration can not be modified except its tolerationSeconds"
        errors.forbidden("spec.tolerations", detail)


def _gates(errors: Errors, spec: Object, was: Object) -> None:
    before = [each.get("name") for each in objects(was.get("schedulingGates"))]
    for gate in objects(spec.get("schedulingGates")):
        if gate.get("name") not in before:
            detail = "only deletion is allowed, but found new scheduling gate"
            errors.forbidden("spec.schedulingGates", f"{detail} '{text(gate.get('name'))}'")


def _restored(spec: Object, was: Object) -> Object:
    """Return the new specification with all that may change as it was."""
    found = copy.deepcopy(spec)
    for name in ("activeDeadlineSeconds", "tolerations", "schedulingGates"):
        _put_back(found, was, name)
    if integer(was.get("terminationGracePeriodSeconds")) < 0 and spec.get("terminationGracePeriodSeconds") == 1:
        _put_back(found, was, "terminationGracePeriodSeconds")
    for name in ("containers", "initContainers"):
        for new, before in zip(objects(found.get(name)), objects(was.get(name)), strict=True):
            _put_back(new, before, "image")
    return found


def _put_back(found: Object, was: Object, name: str) -> None:
    found.pop(name, None)
    if name in was:
        found[name] = was[name]


def _differences(path: str, new: JSON, old: JSON) -> list[str]:
    """Return the paths of what differs, the deepest that can be named."""
    if new == old:
        return []
    if isinstance(new, dict) and isinstance(old, dict):
        names = sorted(new.keys() | old.keys())
        return [each for name in names for each in _differences(f"{path}.{name}", new.get(name), old.get(name))]
    if isinstance(new, list) and isinstance(old, list) and len(new) == len(old):
        pairs = enumerate(zip(new, old, strict=True))
        return [each for n, (left, right) in pairs for each in _differences(f"{path}[{n}]", left, right)]
    return [path]
