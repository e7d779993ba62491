"""Documents of any kind, made from the table: every field may be there, of any value that its type has."""

from __future__ import annotations

import base64
from random import Random

from jubako.cluster.types.document import JSON, Object
from jubako.cluster.types.resources import group_versions
from jubako.cluster.types.schema import Field, Message
from jubako.cluster.types.served import Kind

KINDS = [
    kind
    for group in group_versions()
    for resource in group.resources
    for kind in (resource.kind, *(sub.kind for sub in resource.subresources))
]
_WORDS = ["", "a", "web-1", "é☃", "x" * 300, "kubernetes.io/name", "\u2028", '"\\']


def generated(kind: Kind, seed: int) -> Object:
    random = Random(seed)
    document = _message(random, kind.message, 0, random.choice((0.1, 0.4, 0.9)))
    return {**document, "kind": kind.name, "apiVersion": kind.api_version}


def _message(random: Random, message: Message, depth: int, density: float) -> Object:
    chance = density if depth < 3 else density / depth
    # The kind of an object within another is not in protobuf.
    unsent = {name for field in message.fields if field.inline and not field.number for name in field.message.by_name}
    wanted = [name for name in message.by_name if random.random() < chance and depth < 9]
    names = [name for name in wanted if name not in unsent]
    random.shuffle(names)
    return {name: _field(random, message.by_name[name], depth, density) for name in names}


def _field(random: Random, field: Field, depth: int, density: float) -> JSON:
    if field.shape == "list":
        return [_one(random, field, depth, density) for _ in range(random.randint(1, 3))]
    if field.shape == "map":
        return {random.choice(_WORDS): _one(random, field, depth, density) for _ in range(random.randint(1, 3))}
    return _one(random, field, depth, density)


def _one(random: Random, field: Field, depth: int, density: float) -> JSON:
    if field.message:
        return _message(random, field.message, depth + 1, density)
    match field.type:
        case "string":
            return random.choice(_WORDS)
        case "bool":
            return random.random() < 0.5
        case "int32":
            return random.choice((0, 1, -1, 2**31 - 1, -(2**31)))
        case "int64":
            return random.choice((0, 1, -1, 2**63 - 1, -(2**63)))
        case "bytes":
            return base64.b64encode(random.randbytes(random.randint(0, 9))).decode()
        case "Quantity":
            return random.choice(("0", "1", "100m", "1.5Gi", "2e3", "-5n", 7, 0.25, "9223372036854775808Ei"))
        case "IntOrString":
            return random.choice((0, 80, -1, "http", "25%", ""))
        case "Time" | "MicroTime":
            return random.choice(("2024-02-29T23:59:59Z", "1969-12-31T23:59:59.123456Z", "2024-01-01T00:00:00.5+02:00"))
        case "RawExtension" | "FieldsV1":
            return random.choice(({"f:metadata": {}}, {"a": [1, 2.5, None, "x"]}, {}))
        case "Strings":
            return [random.choice(_WORDS) for _ in range(random.randint(0, 2))]
    raise AssertionError(field.type)
