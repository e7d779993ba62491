"""Label selectors: whether labels match."""

from __future__ import annotations

from collections.abc import Mapping

from jubako.cluster.types.document import JSON, Object, array, mapping, objects, strings, text


def matches(selector: JSON, labels: Mapping[str, str]) -> bool:
    """Tell whether a LabelSelector selects something with these labels. One that is absent selects nothing, an empty
    one all."""
    if selector is None:
        return False
    wanted = strings(mapping(selector).get("matchLabels"))
    if any(labels.get(key) != value for key, value in wanted.items()):
        return False
    return all(_meets(requirement, labels) for requirement in objects(mapping(selector).get("matchExpressions")))


def _meets(requirement: Object, labels: Mapping[str, str]) -> bool:
    held = labels.get(text(requirement.get("key")))
    match requirement.get("operator"):
        case "In":
            return held is not None and held in array(requirement.get("values"))
        case "NotIn":
            return held is None or held not in array(requirement.get("values"))
        case "Exists":
            return held is not None
        case "DoesNotExist":
            return held is None
    return False
