"""A default role or binding as it is stored -> as it shall be: pure functions of documents.

Model:  what today's document has and the stored one lacks is added: rules that nothing stored covers, subjects,
        selectors, labels, annotations. Nothing is taken away, and a label or annotation that is there keeps its value.
Spec:   "Using RBAC Authorization", Auto-reconciliation; k8s.io/component-helpers/auth/rbac/reconciliation.
"""

from __future__ import annotations

from jubako.cluster.apiserver.access.rules import rules_of, uncovered
from jubako.cluster.types.document import JSON, Object, array, at, mapping, text

AUTOUPDATE = "rbac.authorization.kubernetes.io/autoupdate"
_SUBJECT = ("kind", "apiGroup", "name", "namespace")


def is_protected(there: Object) -> bool:
    """Whether somebody wants it left as it is."""
    return at(there, "metadata", "annotations", AUTOUPDATE) == "false"


def is_another(there: Object, wanted: Object) -> bool:
    """Whether a binding gives another role than it should."""
    return there.get("roleRef") != wanted.get("roleRef")


def reconciled(there: Object, wanted: Object) -> Object:
    """Return what is there with what it lacks of what is wanted; the same document where it lacks nothing."""
    metadata = dict(mapping(there["metadata"]))
    for name in ("labels", "annotations"):
        if whole := {**mapping(at(wanted, "metadata", name)), **mapping(metadata.get(name))}:
            metadata[name] = whole
    missing = _grown(there, "subjects", _missing_subjects(there, wanted))
    if "aggregationRule" in wanted:  # its rules are the controller's
        missing |= _aggregating(there, wanted)
    else:
        missing |= _grown(there, "rules", _missing_rules(there, wanted))
    return {**there, "metadata": metadata, **missing}


def taken_over(whole: Object, part: Object) -> Object:
    """Return what a role is to be aggregated from, with all that the role had by itself before."""
    return part if "aggregationRule" in whole else {**part, **reconciled({**part, "rules": whole.get("rules")}, part)}


def _aggregating(there: Object, wanted: Object) -> Object:
    path = ("aggregationRule", "clusterRoleSelectors")
    have = array(at(there, *path))
    missing = [each for each in array(at(wanted, *path)) if each not in have]
    return {path[0]: {path[1]: [*have, *missing]}} if missing else {}


def _grown(there: Object, name: str, missing: list[JSON]) -> Object:
    return {name: [*array(there.get(name)), *missing]} if missing else {}


def _missing_rules(there: Object, wanted: Object) -> list[JSON]:
    have = rules_of(there)
    return [
        rule
        for rule, needed in zip(array(wanted.get("rules")), rules_of(wanted), strict=True)
        if uncovered([needed], have)
    ]


def _missing_subjects(there: Object, wanted: Object) -> list[JSON]:
    have = [_subject(each) for each in array(there.get("subjects"))]
    return [each for each in array(wanted.get("subjects")) if _subject(each) not in have]


def _subject(subject: JSON) -> tuple[str, ...]:
    return tuple(text(mapping(subject).get(name)) for name in _SUBJECT)
