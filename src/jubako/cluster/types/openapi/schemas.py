"""A message -> its JSON schema, with list types, merge keys and the kinds it is served as."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from jubako.cluster.types import factfile
from jubako.cluster.types.document import JSON, Object
from jubako.cluster.types.schema import Field, Message, message
from jubako.cluster.types.served import Kind

_META = "io.k8s.apimachinery.pkg.apis.meta.v1"
_NAMED = {
    "Quantity": "io.k8s.apimachinery.pkg.api.resource.Quantity",
    "IntOrString": "io.k8s.apimachinery.pkg.util.intstr.IntOrString",
    "RawExtension": "io.k8s.apimachinery.pkg.runtime.RawExtension",
    **{name: f"{_META}.{name}" for name in ("Time", "MicroTime", "FieldsV1")},
}
_SPECIAL: dict[str, Object] = {
    "IntOrString": {"type": "string", "format": "int-or-string"},
    "RawExtension": {"type": "object"},
    "FieldsV1": {"type": "object"},
    "Time": {"type": "string", "format": "date-time"},
    "MicroTime": {"type": "string", "format": "date-time"},
}
_QUANTITY_V3: Object = {"oneOf": [{"type": "string"}, {"type": "number"}]}
_INT_OR_STRING_V3: Object = {"oneOf": [{"type": "integer"}, {"type": "string"}], "format": "int-or-string"}
_SCALARS: dict[str, Object] = {
    "string": {"type": "string"},
    "bool": {"type": "boolean"},
    "int32": {"type": "integer", "format": "int32"},
    "int64": {"type": "integer", "format": "int64"},
    "uint32": {"type": "integer", "format": "int64"},
    "byte": {"type": "integer", "format": "int32"},
    "double": {"type": "number", "format": "double"},
    "bytes": {"type": "string", "format": "byte"},
    "Strings": {"type": "array", "items": {"type": "string"}},
    "any": {"type": "object"},
}


def schema_name(name: str) -> str:
    """Return the name of a message among the schemas: core/v1.Pod -> io.k8s.api.core.v1.Pod."""
    package, _, local = name.rpartition(".")
    return f"{_META}.{local}" if package == "meta/v1" else f"io.k8s.api.{package.replace('/', '.')}.{local}"


class Schemas:
    """The schemas of some messages and of all that they refer to; `prefix` is where a reference finds them."""

    def __init__(self, prefix: str, *, v3: bool) -> None:
        self._prefix, self._v3 = prefix, v3
        self.found: dict[str, Object] = {}

    def reference(self, name: str) -> Object:
        """Return a reference to a message, whose schema is then among `found`."""
        named = schema_name(name)
        if named not in self.found:
            self.found[named] = {}
            self.found[named] = self._message(message(name))
        return {"$ref": self._prefix + named}

    def kinds(self, kinds: Iterable[Kind]) -> None:
        """Note under which groups and versions the messages are kinds."""
        for kind in kinds:
            self.reference(kind.message_name)
            rows = self.found[schema_name(kind.message_name)].setdefault("x-kubernetes-group-version-kind", [])
            row: JSON = {"group": kind.group, "kind": kind.name, "version": kind.version}
            if isinstance(rows, list) and row not in rows:
                rows.append(row)

    def _message(self, of: Message) -> Object:
        schema: Object = {"type": "object"}
        if text := descriptions().get(of.name):
            schema["description"] = text
        properties: Object = {name: self._property(of, field) for name, field in sorted(of.by_name.items())}
        if properties:
            schema["properties"] = properties
        if required := sorted(name for name, field in of.by_name.items() if field.required):
            schema["required"] = list(required)
        if of.map_type:
            schema["x-kubernetes-map-type"] = of.map_type
        return schema

    def _property(self, of: Message, field: Field) -> Object:
        schema = self._shaped(field)
        if text := descriptions().get(f"{of.name}.{field.name}") or descriptions().get(f"*.{field.name}"):
            schema["description"] = text
        if field.default is not None:
            schema["default"] = field.default
        if field.list_type:
            schema["x-kubernetes-list-type"] = field.list_type
        if field.list_keys:
            schema["x-kubernetes-list-map-keys"] = list(field.list_keys)
        if field.map_type:
            schema["x-kubernetes-map-type"] = field.map_type
        if field.patch:
            schema["x-kubernetes-patch-strategy"] = ",".join(field.patch)
        if field.merge_key:
            schema["x-kubernetes-patch-merge-key"] = field.merge_key
        return schema

    def _shaped(self, field: Field) -> Object:
        if field.shape == "list":
            return {"type": "array", "items": self._type(field)}
        if field.shape == "map":
            return {"type": "object", "additionalProperties": self._type(field)}
        found = self._type(field)
        # Whatever stands beside $ref is ignored by 3.0, so that a reference goes into allOf.
        return {"allOf": [found]} if self._v3 and "$ref" in found else found

    def _type(self, field: Field) -> Object:
        if field.message:
            return self.reference(field.type)
        if named := _NAMED.get(field.type):
            self.found[named] = self._special(field.type)
            return {"$ref": self._prefix + named}
        return dict(_SCALARS[field.type])

    def _special(self, name: str) -> Object:
        if name == "Quantity":
            return dict(_QUANTITY_V3 if self._v3 else {"type": "string"})
        return dict(_INT_OR_STRING_V3 if self._v3 and name == "IntOrString" else _SPECIAL[name])


@lru_cache(maxsize=1)
def descriptions() -> dict[str, str]:
    """Return what `kubectl explain` says of messages and fields, of those that people ask for first."""
    lines = factfile.read("descriptions").splitlines()
    return {name: text for name, _, text in (line.partition(" ") for line in lines if line)}
