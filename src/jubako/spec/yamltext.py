"""YAML texts: whatever is wrong with one is a ValueError."""

from __future__ import annotations

from typing import Any


def load(text: str | bytes) -> Any:
    import yaml

    try:
        return yaml.load(text, yaml.CSafeLoader)
    except (yaml.YAMLError, LookupError, AttributeError, TypeError) as error:
        # PyYAML's constructors stumble over scalars that do not fit their tag: `!!int ''`, `!!timestamp x`.
        raise ValueError(str(error)) from error
