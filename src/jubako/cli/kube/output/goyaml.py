"""YAML as Go writes it: keys in natural order, lists not indented, texts quoted that would be read as something else.

Spec: gopkg.in/yaml.v2 (encode, resolve, sorter), as kubectl prints with -o yaml.
"""

from __future__ import annotations

import re

import yaml

from jubako.cluster.types.document import JSON, Object

_WORDS = frozenset(
    word
    for base in (
        "y",
        "n",
        "yes",
        "no",
        "true",
        "false",
        "on",
        "off",
        "null",
        "~",
        "",
        ".nan",
        ".inf",
        "+.inf",
        "-.inf",
        "<<",
    )
    for word in (base, base.title(), base.upper(), base.replace("inf", "Inf").replace("nan", "NaN"))
) | {".NaN"}
_NUMBER = re.compile(
    r"[-+]?(0b[01_]+|0x[0-9a-fA-F_]+|0o?[0-7_]+|[0-9][0-9_]*|(\.[0-9]+|[0-9][0-9_]*(\.[0-9]*)?)([eE][-+]?[0-9]+)?)"
)
_BASE_60 = re.compile(r"[-+]?[0-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)?")
_MOMENT = re.compile(
    r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}([Tt ][0-9]{1,2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?( ?(Z|[-+][0-9:]+))?)?"
)
# A text that stands twice is written twice.
_Dumper: type[yaml.SafeDumper] = type(
    "_Dumper", (getattr(yaml, "CSafeDumper", yaml.SafeDumper),), {"ignore_aliases": lambda *_: True}
)


def dump(document: JSON) -> str:
    """Return a document as text, with its end of line."""
    text: str = yaml.dump(
        document, Dumper=_Dumper, default_flow_style=False, allow_unicode=True, sort_keys=False, width=80
    )
    return text.removesuffix("...\n")


def _string(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
    style = "|" if "\n" in value else '"' if _reads_otherwise(value) else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=style)


def _object(dumper: yaml.SafeDumper, value: Object) -> yaml.MappingNode:
    return dumper.represent_mapping("tag:yaml.org,2002:map", [(key, value[key]) for key in sorted(value, key=natural)])


def _reads_otherwise(value: str) -> bool:
    return value in _WORDS or any(form.fullmatch(value) for form in (_NUMBER, _BASE_60, _MOMENT))


def natural(key: str) -> list[tuple[int, int, int]]:
    """Order keys as yaml.v2 does: numbers by value, what is no letter before letters."""
    parts = re.findall(r"[0-9]+|.", key, re.DOTALL)
    return [
        (1, int(part), len(part)) if part.isdecimal() else (2 if part.isalpha() else 0, ord(part), 0) for part in parts
    ]


_Dumper.add_representer(str, _string)
_Dumper.add_representer(dict, _object)
_Dumper.add_multi_representer(dict, _object)
