"""The tree of a parsed template."""

from __future__ import annotations


class Node:
    """`position` is the offset in the template and `text` the source, for messages."""

    __slots__ = ("position", "text")

    def __init__(self, text: str = "", position: int = 0) -> None:
        self.text = text
        self.position = position


class Text(Node):
    __slots__ = ()


class Constant(Node):
    __slots__ = ("value",)

    def __init__(self, value: object, text: str, position: int) -> None:
        super().__init__(text, position)
        self.value = value


class Dot(Node):
    __slots__ = ()


class Function(Node):
    __slots__ = ()


class Variable(Node):
    __slots__ = ()


class Chain(Node):
    """`base.field.field`; a plain `.field` has Dot as its base."""

    __slots__ = ("base", "fields")

    def __init__(self, base: Node, fields: list[str], text: str, position: int) -> None:
        super().__init__(text, position)
        self.base = base
        self.fields = fields


class Command(Node):
    __slots__ = ("words",)

    def __init__(self, words: list[Node], text: str, position: int) -> None:
        super().__init__(text, position)
        self.words = words


class Pipe(Node):
    """Commands joined by `|`; `names` are the variables that take the value, declared or assigned."""

    __slots__ = ("commands", "declares", "names")

    def __init__(self, commands: list[Command], names: list[str], declares: bool, text: str, position: int) -> None:
        super().__init__(text, position)
        self.commands = commands
        self.names = names
        self.declares = declares


class Branch(Node):
    """`if`, `with` or `range`."""

    __slots__ = ("body", "keyword", "orelse", "pipe")

    def __init__(self, keyword: str, pipe: Pipe, body: list[Node], orelse: list[Node]) -> None:
        super().__init__(pipe.text, pipe.position)
        self.keyword = keyword
        self.pipe = pipe
        self.body = body
        self.orelse = orelse


class Jump(Node):
    """`break` or `continue`."""

    __slots__ = ()
