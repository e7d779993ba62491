"""A sheet: lines, indented by their level, whose cells end with tabs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

from jubako.cli.kube.output.escaping import escaped
from jubako.cli.texttable import align
from jubako.cluster.types.columns.ages import age, moment
from jubako.cluster.types.document import JSON, Object, array, at, mapping, objects, strings, text

_MOST_ANNOTATION = 140
_HIDDEN_ANNOTATIONS = ("kubectl.kubernetes.io/last-applied-configuration",)


class Sheet:
    """What is written about one object."""

    def __init__(self) -> None:
        self._lines: list[str] = []

    def line(self, level: int, *cells: str) -> None:
        self._lines.append("  " * level + escaped("\t".join(cells)))

    def each(self, level: int, title: str, values: Iterable[str]) -> None:
        """Write values one below the other, the title beside the first."""
        found = [*values] or ["<none>"]
        self.line(level, f"{title}:", found[0])
        for value in found[1:]:
            self._lines.append("\t" + escaped(value))

    def labels(self, level: int, title: str, labels: Mapping[str, str]) -> None:
        self.each(level, title, [f"{key}={value}" for key, value in sorted(labels.items())])

    def annotations(self, level: int, annotations: Mapping[str, str]) -> None:
        """Write annotations; one that is long stands below its name, cut off."""
        found: list[str] = []
        for key, value in sorted(annotations.items()):
            if key in _HIDDEN_ANNOTATIONS:
                continue
            lines = value.removesuffix("\n").split("\n")
            if len(lines) > 1 or len(lines[0]) + len(key) + 2 > _MOST_ANNOTATION:
                found += [f"{key}:", *(f"  {_shortened(line)}" for line in lines)]
            else:
                found.append(f"{key}: {lines[0]}")
        self.each(level, "Annotations", found)

    def head(self, document: Object, *, namespaced: bool = True) -> None:
        """Write the name, and the namespace of what is in one."""
        self.line(0, "Name:", text(at(document, "metadata", "name")))
        if namespaced:
            self.line(0, "Namespace:", text(at(document, "metadata", "namespace")))

    def marks(self, document: Object) -> None:
        """Write labels and annotations."""
        self.labels(0, "Labels", strings(at(document, "metadata", "labels")))
        self.annotations(0, strings(at(document, "metadata", "annotations")))

    def controlled(self, document: Object) -> None:
        owners = objects(at(document, "metadata", "ownerReferences"))
        for each in owners:
            if each.get("controller") is True:
                self.line(0, "Controlled By:", f"{text(each.get('kind'))}/{text(each.get('name'))}")

    def render(self) -> str:
        return align(self._lines, minimum=0, padding=2)

    def unaligned(self) -> str:
        return "".join(f"{line}\n" for line in self._lines)


def _shortened(line: str) -> str:
    return line if len(line) <= _MOST_ANNOTATION - 2 else f"{line[: _MOST_ANNOTATION - 2]}..."


def date(value: JSON) -> str:
    """Return a moment as RFC 1123 has it, in the zone of this machine."""
    found = moment(value)
    return found.astimezone().strftime("%a, %d %b %Y %H:%M:%S %z") if found else "Mon, 01 Jan 0001 00:00:00 +0000"


def ago(value: JSON) -> str:
    return age(value, datetime.now(UTC))


def truth(value: JSON) -> str:
    """Return True or False, as some fields are told."""
    return "True" if value is True else "False"


def plain(value: JSON, absent: str = "") -> str:
    """Return a scalar as Go prints it."""
    if value is None:
        return absent
    return str(value).lower() if isinstance(value, bool) else str(value)


def words(value: JSON) -> str:
    """Return a list as Go prints it."""
    return f"[{' '.join(plain(each) for each in array(value))}]"


def selector(value: JSON) -> str:
    """Return a LabelSelector in the form of queries; <none> where it selects by nothing."""
    found = [f"{key}={each}" for key, each in sorted(strings(at(value, "matchLabels")).items())]
    for each in objects(at(value, "matchExpressions")):
        key, values = text(each.get("key")), ",".join(sorted(map(plain, array(each.get("values")))))
        spelled = {
            "In": f"{key} in ({values})",
            "NotIn": f"{key} notin ({values})",
            "Exists": key,
            "DoesNotExist": f"!{key}",
        }
        found.append(spelled.get(text(each.get("operator")), key))
    return ",".join(found) or "<none>"


def quantities(sheet: Sheet, level: int, title: str, values: JSON) -> None:
    """Write the amounts of resources below a title, where there are any."""
    found = mapping(values)
    if found:
        sheet.line(level, f"{title}:")
    for name, value in sorted(found.items()):
        sheet.line(level + 1, f"{name}:", plain(value))
