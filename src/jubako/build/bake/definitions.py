"""What bake files define: targets, groups, variables and functions, of several files laid over one another.

Nothing is evaluated here: values are expressions, which wait for the variables.
"""

from __future__ import annotations

import msgspec

from jubako.build.bake.expressions import Expression
from jubako.build.bake.syntax import Block
from jubako.build.bake.values import BakeError

# Attributes whose entries are merged key by key when a target is defined twice or inherits; others are replaced.
MERGED = ("args", "labels", "contexts")


class FunctionDefinition(msgspec.Struct, frozen=True):
    parameters: Expression
    variadic: Expression | None
    result: Expression


class Variable(msgspec.Struct, frozen=True):
    """`checks` are conditions and their messages; `type` is an expression of types.py."""

    default: Expression | None
    type: Expression | None
    checks: list[tuple[Expression, Expression]]


class Definitions(msgspec.Struct):
    """`targets` has for each name its definitions, the later laid over the earlier."""

    targets: dict[str, list[dict[str, Expression]]] = {}
    groups: dict[str, dict[str, Expression]] = {}
    variables: dict[str, Variable] = {}
    functions: dict[str, FunctionDefinition] = {}
    constants: dict[str, Expression] = {}

    def add(self, block: Block, name: str) -> None:
        """Lay a file's content over what is here. Raises BakeError."""
        self.constants.update(block.attributes)
        for child in block.blocks:
            if len(child.labels) != 1:
                raise BakeError(f"{name}: a {child.type} block has one name")
            self._add(child, child.labels[0], name)

    def _add(self, child: Block, label: str, name: str) -> None:
        attributes = child.attributes
        match child.type:
            case "target":
                self.targets.setdefault(label, []).append(attributes)
            case "group":
                self.groups[label] = {**self.groups.get(label, {}), **attributes}
            case "variable":
                checks = [
                    (inner.attributes["condition"], inner.attributes["error_message"])
                    for inner in child.blocks
                    if inner.type == "validation" and {"condition", "error_message"} <= inner.attributes.keys()
                ]
                self.variables[label] = Variable(attributes.get("default"), attributes.get("type"), checks)
            case "function":
                self.functions[label] = _function(attributes, f"{name}: function {label}")
            case kind:
                raise BakeError(f"{name}: unsupported block type {kind!r}: it is target, group, variable or function")


def _function(attributes: dict[str, Expression], name: str) -> FunctionDefinition:
    if "params" not in attributes or "result" not in attributes:
        raise BakeError(f"{name} needs params and a result")
    return FunctionDefinition(attributes["params"], attributes.get("variadic_params"), attributes["result"])
