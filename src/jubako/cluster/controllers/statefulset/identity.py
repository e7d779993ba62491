"""The identity of a StatefulSet's pod: its name with an ordinal, its labels, its host name and its claims."""

from __future__ import annotations

import re

from jubako.cluster.controllers.history import POD_LABEL, template_of
from jubako.cluster.controllers.pods import from_template
from jubako.cluster.objects import Object, labels, listed, mapping, name, namespace, number, objects, put, strings, text

NAME_LABEL = "statefulset.kubernetes.io/pod-name"
INDEX_LABEL = "apps.kubernetes.io/pod-index"


def ordinal(pod: Object) -> int:
    """The number at the end of a pod's name; -1 where there is none."""
    found = re.fullmatch(r".*-([0-9]{1,10})", name(pod), re.DOTALL)
    return int(found[1]) if found else -1


def is_member(set_: Object, pod: Object) -> bool:
    return ordinal(pod) >= 0 and name(pod) == pod_name(set_, ordinal(pod))


def pod_name(set_: Object, number_: int) -> str:
    return f"{name(set_)}-{number_}"


def start(set_: Object) -> int:
    return number(set_, "spec", "ordinals", "start")


def ordinals(set_: Object) -> range:
    """The ordinals that a StatefulSet is to have."""
    first = start(set_)
    return range(first, first + number(set_, "spec", "replicas", absent=1))


def claim_templates(set_: Object) -> list[Object]:
    return objects(set_, "spec", "volumeClaimTemplates")


def claim_name(set_: Object, template: Object, number_: int) -> str:
    return f"{name(template)}-{pod_name(set_, number_)}"


def made(set_: Object, revision: Object, number_: int) -> Object:
    """Return the pod of an ordinal, of a revision's template."""
    pod = from_template(template_of(revision), set_, name_=pod_name(set_, number_))
    pod = put(pod, name(revision), "metadata", "labels", POD_LABEL)
    spec = {**mapping(pod, "spec"), "hostname": name(pod), "subdomain": text(set_, "spec", "serviceName")}
    return identified(set_, {**pod, "spec": with_claims(set_, spec, number_)})


def identified(set_: Object, pod: Object) -> Object:
    """Return a pod with the labels of its identity."""
    own: dict[str, str] = {NAME_LABEL: name(pod), INDEX_LABEL: str(ordinal(pod))}
    return pod if own.items() <= labels(pod).items() else put(pod, {**labels(pod), **own}, "metadata", "labels")


def with_claims(set_: Object, spec: Object, number_: int) -> Object:
    """A pod's spec with the volumes of its claims, in place of the template's of the same name."""
    claims = {name(each): claim_name(set_, each, number_) for each in claim_templates(set_)}
    if not claims:
        return spec
    others = [each for each in objects(spec, "volumes") if text(each, "name") not in claims]
    own: list[Object] = [{"name": each, "persistentVolumeClaim": {"claimName": claims[each]}} for each in claims]
    return {**spec, "volumes": listed([*own, *others])}


def claim(set_: Object, template: Object, number_: int) -> Object:
    """Return the claim of an ordinal that a template stands for."""
    metadata: Object = {
        **mapping(template, "metadata"),
        "name": claim_name(set_, template, number_),
        "namespace": namespace(set_),
        "labels": {**labels(template), **strings(set_, "spec", "selector", "matchLabels")},
    }
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": metadata,
        "spec": mapping(template, "spec"),
    }
