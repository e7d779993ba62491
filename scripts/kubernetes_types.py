"""Write src/jubako/cluster/types/facts/<package>.txt: the fields of Kubernetes' API types, read from a kubectl.

kubectl is a Go program that carries the type descriptors of every struct it was built with, k8s.io/api's among them:
names, types and tags of all fields. That is the interface and nothing else; no code or text is taken. Run by hand:

    python scripts/kubernetes_types.py "$(readlink -f "$(command -v kubectl)")" [OPENAPI.json …]

What the tags do not say (list types and their keys, what is required) comes from OpenAPI documents of the same version,
where they are given; docs/internals/cluster-types.md has the form of the files.

The layout read here is Go's internal/abi: Type (48 bytes), then what its kind adds. Offsets of names and types count
from the beginning of .rodata.
"""

from __future__ import annotations

import json
import re
import struct
import sys
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path

TARGET = Path(__file__).resolve().parent.parent / "src" / "jubako" / "cluster" / "types" / "facts"
PACKAGES = {
    "k8s.io/apimachinery/pkg/apis/meta/v1": "meta/v1",
    **{
        f"k8s.io/api/{name}": name
        for name in (
            "admissionregistration/v1 apidiscovery/v2 apps/v1 authentication/v1 authorization/v1 autoscaling/v1 "
            "autoscaling/v2 batch/v1 certificates/v1 coordination/v1 core/v1 discovery/v1 events/v1 networking/v1 "
            "node/v1 policy/v1 rbac/v1 scheduling/v1 storage/v1"
        ).split()
    },
}
# Structs and named types that have a form of their own on the wire.
SCALARS = {
    "k8s.io/apimachinery/pkg/api/resource.Quantity": "Quantity",
    "k8s.io/apimachinery/pkg/util/intstr.IntOrString": "IntOrString",
    "k8s.io/apimachinery/pkg/apis/meta/v1.Time": "Time",
    "k8s.io/apimachinery/pkg/apis/meta/v1.MicroTime": "MicroTime",
    "k8s.io/apimachinery/pkg/apis/meta/v1.FieldsV1": "FieldsV1",
    "k8s.io/apimachinery/pkg/runtime.RawExtension": "RawExtension",
    # Lists in JSON, which protobuf wraps in a message so that they can be empty.
    "k8s.io/apimachinery/pkg/apis/meta/v1.Verbs": "Strings",
    "k8s.io/api/authentication/v1.ExtraValue": "Strings",
    "k8s.io/api/authorization/v1.ExtraValue": "Strings",
    "k8s.io/api/certificates/v1.ExtraValue": "Strings",
}
BASIC = {1: "bool", 2: "int64", 5: "int32", 6: "int64", 7: "int64", 8: "byte", 10: "uint32", 14: "double", 24: "string"}
# The properties of a schema by name, and under "" the schema.
Schema = dict[str, dict[str, object]]
ARRAY, INTERFACE, MAP, POINTER, SLICE, STRUCT = 17, 20, 21, 22, 23, 25


class Program:
    """A Go program for x86-64, its sections by name."""

    def __init__(self, path: Path) -> None:
        self.data = path.read_bytes()
        table, size, count, names = struct.unpack_from("<Q10xHHH", self.data, 40)
        rows = [struct.unpack_from("<IIQQQQ", self.data, table + n * size) for n in range(count)]
        self.sections = {self._text(rows[names][4] + row[0]): row[3:6] for row in rows}
        self.base = self.sections[".rodata"][0]

    def _text(self, offset: int) -> str:
        return self.data[offset : self.data.index(b"\0", offset)].decode()

    def at(self, address: int) -> int:
        """Return the file offset of an address."""
        for start, offset, size in self.sections.values():
            if start and start <= address < start + size:
                return address - start + offset
        raise ValueError(hex(address))

    def read(self, form: str, address: int) -> tuple[int, ...]:
        return struct.unpack_from("<" + form, self.data, self.at(address))

    def strings(self, address: int) -> tuple[str, str]:
        """Return a name and its tag: flags, length and text, and where a flag says so the same for the tag."""
        offset = self.at(address)
        flags, found = self.data[offset], []
        offset += 1
        for _ in range(1 + bool(flags & 2)):
            length = shift = 0
            while True:
                byte = self.data[offset]
                offset += 1
                length |= (byte & 127) << shift
                shift += 7
                if byte < 128:
                    break
            found.append(self.data[offset : offset + length].decode())
            offset += length
        return found[0], found[1] if len(found) > 1 else ""

    def types(self) -> Iterator[Type]:
        _, offset, size = self.sections[".typelink"]
        for (link,) in struct.iter_unpack("<i", self.data[offset : offset + size]):
            yield Type(self, self.base + link)


class Type:
    def __init__(self, program: Program, address: int) -> None:
        self.program, self.address = program, address
        self.flags, self.kind = program.read("BxxB", address + 20)
        self.kind &= 31

    @cached_property
    def name(self) -> str:
        """Return the full name (k8s.io/api/core/v1.Pod) of a named type, or ""."""
        if not self.flags & 4 or not self.flags & 1:
            return ""
        extra = {ARRAY: 24, INTERFACE: 32, MAP: 40, POINTER: 8, SLICE: 8, STRUCT: 32}.get(self.kind, 0)
        (package,) = self.program.read("i", self.address + 48 + extra)
        (name,) = self.program.read("i", self.address + 40)
        path = self.program.strings(self.program.base + package)[0] if package else ""
        return f"{path}.{self.program.strings(self.program.base + name)[0].rpartition('.')[2]}"

    def element(self, position: int = 0) -> Type:
        return Type(self.program, self.program.read("Q", self.address + 48 + 8 * position)[0])

    def fields(self) -> Iterator[tuple[str, Type, str]]:
        first, count = self.program.read("QQ", self.address + 56)
        for n in range(count):
            name, of, _ = self.program.read("QQQ", first + 24 * n)
            text, tag = self.program.strings(name)
            yield text, Type(self.program, of), tag


# Published OpenAPI leaves out the defaults; of these keys of lists a merge has to know them.
DEFAULTS = {("core/v1", "protocol", "string:Protocol"): "TCP"}


def short(name: str) -> str:
    package, _, local = name.rpartition(".")
    return f"{PACKAGES[package]}.{local}" if package in PACKAGES else name


def spelled(of: Type) -> str:
    """Return a type as the files spell it: *X, []X, map X, a scalar, a message, or string:Enum for a named string."""
    if of.name in SCALARS:
        return SCALARS[of.name]
    match of.kind:
        case 22:
            return "*" + spelled(of.element())
        case 23:
            inner = spelled(of.element())
            return "bytes" if inner == "byte" else "[]" + inner
        case 21:
            return "map:" + spelled(of.element(1))
        case 25:
            return short(of.name)
    basic = BASIC.get(of.kind, "any")
    local = of.name.rpartition(".")[2]
    return f"{basic}:{local}" if of.kind == 24 and local not in ("", "string", "UID") and "/api" in of.name else basic


def tags(text: str) -> dict[str, str]:
    return dict(re.findall(r'(\w+):"([^"]*)"', text))


def line(package: str, name: str, of: Type, tag: dict[str, str], known: Schema) -> str:
    json_name, *options = tag["json"].split(",")
    schema, required = known.get(json_name or " ", {}), known.get("", {}).get("required") or ()
    assert isinstance(required, (list, tuple))
    number = tag.get("protobuf", ",0").split(",")[1]
    words = [json_name or "~" + name, number, spelled(of).replace(package + ".", "")]
    always = bool(json_name) and "omitempty" not in options
    if always or json_name in required:
        words.append(("!" if always else "") + ("+" if json_name in required else ""))
    if "patchStrategy" in tag:
        words.append(f"patch={tag['patchStrategy']}" + (f":{tag['patchMergeKey']}" if "patchMergeKey" in tag else ""))
    # Status.details is said to be a list and is none.
    if (kind := schema.get("x-kubernetes-list-type")) and "[]" in spelled(of):
        keys = schema.get("x-kubernetes-list-map-keys")
        words.append(f"list={kind}" + (":" + ",".join(keys) if isinstance(keys, list) else ""))
    if kind := schema.get("x-kubernetes-map-type"):
        words.append(f"map={kind}")
    if default := DEFAULTS.get((package, json_name, spelled(of))):
        words.append(f"default={json.dumps(default)}")
    return " ".join(words)


def schemas(paths: list[str]) -> dict[str, Schema]:
    """Return the schemas by the end of their names (core.v1.Pod)."""
    found: dict[str, Schema] = {}
    for path in paths:
        document = json.loads(Path(path).read_text())
        for name, schema in (
            document.get("definitions") or document.get("$defs") or document["components"]["schemas"]
        ).items():
            found[".".join(name.split(".")[-3:])] = {"": schema, **schema.get("properties", {})}
    return found


def reachable(program: Program) -> dict[str, Type]:
    """Return the structs of PACKAGES that an API object or anything in it is made of."""
    found: dict[str, Type] = {}
    seen: set[int] = set()
    waiting = [of for of in program.types() if of.kind == POINTER]
    while waiting:
        of = waiting.pop()
        if of.address in seen:
            continue
        seen.add(of.address)
        if of.kind in (POINTER, SLICE):
            waiting.append(of.element())
        elif of.kind == MAP:
            waiting.append(of.element(1))
        elif of.kind == STRUCT and of.name.rpartition(".")[0] in PACKAGES and of.name not in SCALARS:
            rows = list(of.fields())
            if any("json:" in tag for _, _, tag in rows):
                found[of.name] = of
                waiting.extend(row for _, row, _ in rows)
    return found


def write(package: str, types: dict[str, Type], known: dict[str, Schema]) -> None:
    lines = []
    for full, of in sorted(types.items()):
        properties = known.get(PACKAGES[package].replace("/", ".") + "." + full.rpartition(".")[2], {})
        whole = properties.get("", {}).get("x-kubernetes-map-type")
        lines.append(full.rpartition(".")[2] + (f" map={whole}" if whole else ""))
        for name, field, tag in of.fields():
            if "json" in (parsed := tags(tag)) and parsed["json"] != "-":
                lines.append(" " + line(PACKAGES[package], name, field, parsed, properties))
    target = TARGET / (PACKAGES[package].replace("/", "_") + ".txt")
    target.write_text("\n".join(lines) + "\n")


def main() -> None:
    program, known = Program(Path(sys.argv[1])), schemas(sys.argv[2:])
    TARGET.mkdir(parents=True, exist_ok=True)
    found = reachable(program)
    for package in PACKAGES:
        types = {name: of for name, of in found.items() if name.rpartition(".")[0] == package}
        if types:
            write(package, types, known)


if __name__ == "__main__":
    main()
