"""Walk the tree of a template with data at hand."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from jubako.cli.gotemplate.nodes import (
    Branch,
    Chain,
    Command,
    Constant,
    Dot,
    Function,
    Jump,
    Node,
    Pipe,
    Text,
    Variable,
)
from jubako.cli.gotemplate.values import NO_VALUE, NoValue, Record, TemplateError, show, truth, type_name

_UNSET = object()


class _Jumped(Exception):
    """Leaves the body of a range, for `break` and `continue`."""


def execute(nodes: list[Node], data: object, functions: Mapping[str, Callable[..., object]]) -> str:
    walk = _Walk(functions, data)
    walk.block(nodes, data)
    return "".join(walk.output)


class _Walk:
    def __init__(self, functions: Mapping[str, Callable[..., object]], data: object) -> None:
        self.functions = functions
        self.output: list[str] = []
        self.variables: list[tuple[str, object]] = [("$", data)]

    def fail(self, node: Node, message: str) -> TemplateError:
        return TemplateError(f'template: :1:{node.position}: executing "" at <{node.text}>: {message}')

    def block(self, nodes: list[Node], dot: object) -> None:
        mark = len(self.variables)
        for node in nodes:
            match node:
                case Text():
                    self.output.append(node.text)
                case Branch(keyword="range"):
                    self.range(node, dot)
                case Branch():
                    self.branch(node, dot)
                case Jump():
                    raise _Jumped(node.text)
                case Pipe():
                    value = self.pipe(node, dot)
                    if not node.names:
                        self.output.append(show(value))
        del self.variables[mark:]

    def branch(self, node: Branch, dot: object) -> None:
        mark = len(self.variables)
        value = self.pipe(node.pipe, dot)
        if truth(value):
            self.block(node.body, value if node.keyword == "with" else dot)
        else:
            self.block(node.orelse, dot)
        del self.variables[mark:]

    def range(self, node: Branch, dot: object) -> None:
        mark = len(self.variables)
        items = self.items(node, self.pipe(node.pipe, dot, bind=False))
        for key, item in items:
            names = node.pipe.names
            bound = [key, item] if len(names) == 2 else [item]
            self.variables.extend(zip(names, bound, strict=False))
            try:
                self.block(node.body, item)
            except _Jumped as jump:
                if jump.args[0] == "break":
                    break
            finally:
                del self.variables[mark:]
        if not items:
            self.block(node.orelse, dot)

    def items(self, node: Branch, value: object) -> list[tuple[object, object]]:
        match value:
            case None | NoValue():
                return []
            case Record():
                raise self.fail(node.pipe, f"range can't iterate over {show(value)}")
            case dict():
                return [(key, value[key]) for key in sorted(value)]
            case list():
                return list(enumerate(value))
            case bool():
                raise self.fail(node.pipe, f"range can't iterate over {show(value)}")
            case int():
                return [(index, index) for index in range(value)]
        raise self.fail(node.pipe, f"range can't iterate over {show(value)}")

    def pipe(self, node: Pipe, dot: object, *, bind: bool = True) -> object:
        value: object = _UNSET
        for command in node.commands:
            value = self.command(command, dot, value)
        if bind:
            for name in node.names:
                self.bind(name, value, node)
        return value

    def bind(self, name: str, value: object, node: Pipe) -> None:
        if node.declares:
            self.variables.append((name, value))
            return
        for index in range(len(self.variables) - 1, -1, -1):
            if self.variables[index][0] == name:
                self.variables[index] = (name, value)
                return
        raise self.fail(node, f"undefined variable: {name}")

    def command(self, node: Command, dot: object, final: object) -> object:
        first, rest = node.words[0], node.words[1:]
        if isinstance(first, Function):
            return self.call(first, rest, dot, final)
        value = self.value(first, dot)
        if callable(value):
            return self.apply(first, value, [self.value(word, dot) for word in rest], final)
        if rest or final is not _UNSET:
            raise self.fail(first, f"can't give argument to non-function {first.text}")
        return value

    def call(self, node: Function, rest: list[Node], dot: object, final: object) -> object:
        if node.text in ("and", "or"):
            return self.short_circuit(node, rest, dot, final)
        return self.apply(node, self.functions[node.text], [self.value(word, dot) for word in rest], final, rest)

    def short_circuit(self, node: Function, rest: list[Node], dot: object, final: object) -> object:
        value: object = _UNSET
        for word in rest:
            value = self.value(word, dot)
            if truth(value) == (node.text == "or"):
                return value
        if final is not _UNSET:
            return final
        if value is _UNSET:
            raise self.fail(node, f"wrong number of args for {node.text}: want at least 1 got 0")
        return value

    def apply(
        self, node: Node, function: Callable[..., object], words: list[object], final: object, rest: Sequence[Node] = ()
    ) -> object:
        if final is not _UNSET:
            words.append(final)
        try:
            return function(*words)
        except TemplateError:
            raise
        except TypeError:
            raise self.fail(node, f"wrong number or type of args for {node.text}: got {len(words)}") from None
        except (ValueError, IndexError) as error:
            whole = Node(" ".join(word.text for word in (node, *rest)), node.position)
            raise self.fail(whole, f"error calling {node.text}: {error}") from None

    def value(self, node: Node, dot: object) -> object:
        match node:
            case Constant():
                return node.value
            case Dot():
                return dot
            case Variable():
                return self.variable(node)
            case Chain():
                value = self.value(node.base, dot)
                for name in node.fields:
                    value = self.field(node, value() if callable(value) else value, name)
                return value
            case Function():
                return self.call(node, [], dot, _UNSET)
            case Pipe():
                return self.pipe(node, dot)
        raise self.fail(node, "can't evaluate")

    def variable(self, node: Variable) -> object:
        for name, value in reversed(self.variables):
            if name == node.text:
                return value
        raise self.fail(node, f"undefined variable: {node.text}")

    def field(self, node: Chain, holder: object, name: str) -> object:
        if isinstance(holder, Record):
            if name not in holder:
                raise self.fail(node, holder.missing(name))
            return holder[name]
        if isinstance(holder, dict):
            return holder.get(name, NO_VALUE)
        if holder is None or isinstance(holder, NoValue):
            raise self.fail(node, f"nil pointer evaluating interface {{}}.{name}")
        raise self.fail(node, f"can't evaluate field {name} in type {type_name(holder)}")
