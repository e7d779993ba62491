"""The rules for names, labels, keys and ports: each function returns what is wrong with a value, or nothing.

Spec: RFC 1123, RFC 1035; k8s.io/apimachinery/pkg/util/validation.
"""

from __future__ import annotations

import ipaddress
import re

LABEL_LENGTH, SUBDOMAIN_LENGTH, NAME_LENGTH, PORT_NAME_LENGTH = 63, 253, 63, 15
_LABEL = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_SUBDOMAIN = rf"{_LABEL}(\.{_LABEL})*"
_DNS1035 = r"[a-z]([-a-z0-9]*[a-z0-9])?"
_QUALIFIED = r"([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]"
_LABEL_VALUE = r"(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?"
_CONFIG_KEY = r"[-._a-zA-Z0-9]+"
_CHARACTERS = "alphanumeric characters, '-', '_' or '.'"
_ENDS = "must start and end with an alphanumeric character"


def _must(value: str, pattern: str, message: str, *examples: str) -> list[str]:
    if re.fullmatch(pattern, value, re.ASCII):
        return []
    shown = "".join(f"'{each}', " if each == examples[-1] else f"'{each}',  or " for each in examples)
    return [f"{message} (e.g. {shown}regex used for validation is '{pattern}')"]


def _at_most(value: str, length: int) -> list[str]:
    return [f"must be no more than {length} characters"] if len(value.encode()) > length else []


def dns_label(value: str) -> list[str]:
    message = f"a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and {_ENDS}"
    return _at_most(value, LABEL_LENGTH) + _must(value, _LABEL, message, "my-name", "123-abc")


def dns_subdomain(value: str) -> list[str]:
    message = "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and"
    return _at_most(value, SUBDOMAIN_LENGTH) + _must(value, _SUBDOMAIN, f"{message} {_ENDS}", "example.com")


def dns1035_label(value: str) -> list[str]:
    message = (
        "a DNS-1035 label must consist of lower case alphanumeric characters or '-', "
        "start with an alphabetic character, and end with an alphanumeric character"
    )
    return _at_most(value, LABEL_LENGTH) + _must(value, _DNS1035, message, "my-name", "abc-123")


def qualified_name(value: str) -> list[str]:
    """Check PREFIX/NAME or NAME, the form of the keys of labels and annotations."""
    prefix, slash, name = value.rpartition("/")
    if value.count("/") > 1:
        message = f"a qualified name must consist of {_CHARACTERS}, and {_ENDS}"
        found = _must("/", _QUALIFIED, message, "MyName", "my.name", "123-abc")
        return [f"{found[0]} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')"]
    problems = []
    if slash:
        problems += (
            [f"prefix part {each}" for each in dns_subdomain(prefix)] if prefix else ["prefix part must be non-empty"]
        )
    if not name:
        return [*problems, "name part must be non-empty"]
    problems += [f"name part {each}" for each in _at_most(name, NAME_LENGTH)]
    message = f"name part must consist of {_CHARACTERS}, and {_ENDS}"
    return problems + _must(name, _QUALIFIED, message, "MyName", "my.name", "123-abc")


def label_value(value: str) -> list[str]:
    message = f"a valid label must be an empty string or consist of {_CHARACTERS}, and {_ENDS}"
    return _at_most(value, LABEL_LENGTH) + _must(value, _LABEL_VALUE, message, "MyValue", "my_value", "12345")


def config_key(value: str) -> list[str]:
    """Check a key of a ConfigMap or Secret, which is a file's name when it is mounted."""
    message = f"a valid config key must consist of {_CHARACTERS}"
    problems = _at_most(value, SUBDOMAIN_LENGTH)
    problems += _must(value, _CONFIG_KEY, message, "key.name", "KEY_NAME", "key-name")
    if value in (".", ".."):
        problems.append(f"must not be '{value}'")
    elif value.startswith(".."):
        problems.append("must not start with '..'")
    return problems


def environment_name(value: str) -> list[str]:
    if value and all(" " <= character <= "~" and character != "=" for character in value):
        return []
    return ["a valid environment variable name must consist only of printable ASCII characters other than '='"]


def port_name(value: str) -> list[str]:
    problems = _at_most(value, PORT_NAME_LENGTH)
    if not re.fullmatch(r"[-a-z0-9]+", value, re.ASCII):
        problems.append("must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)")
    if not re.search(r"[a-z]", value):
        problems.append("must contain at least one letter (a-z)")
    if "--" in value:
        problems.append("must not contain consecutive hyphens")
    if value.startswith("-") or value.endswith("-"):
        problems.append("must not begin or end with a hyphen")
    return problems


def port_number(value: int) -> list[str]:
    return [] if 1 <= value <= 65535 else ["must be between 1 and 65535, inclusive"]


def path_segment(value: str) -> list[str]:
    """Check a name that only has to stand in a path, as those of roles do."""
    if value in (".", ".."):
        return [f"may not be '{value}'"]
    return [f"may not contain '{character}'" for character in "/%" if character in value]


def ip_address(value: str) -> list[str]:
    try:
        ipaddress.ip_address(value)
    except ValueError:
        return ["must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"]
    return []


def percent(value: str) -> list[str]:
    if re.fullmatch(r"[0-9]+%", value, re.ASCII):
        return []
    return ["a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', "
            "regex used for validation is '[0-9]+%')"]  # fmt: skip
