"""HCL's native syntax: text to blocks of attributes, whose values are expressions.

Spec: HCL native syntax specification. Left out: template directives (`%{if}`), which bake files hardly have.
"""

from __future__ import annotations

import re

import msgspec

from jubako.build.bake import expressions as made
from jubako.build.bake.cursor import Cursor
from jubako.build.bake.expressions import Expression
from jubako.build.bake.tokens import error, template_end
from jubako.build.bake.values import BakeError, text_of

_LEVELS = (("||",), ("&&",), ("==", "!="), ("<", ">", "<=", ">="), ("+", "-"), ("*", "/", "%"))
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", '"': '"', "\\": "\\"}
_WORDS = {"true": True, "false": False, "null": None}


class Block(msgspec.Struct):
    """`type "label" { … }`; the whole file is one without a type."""

    type: str
    labels: list[str]
    attributes: dict[str, Expression]
    blocks: list[Block]


def parse(source: str, name: str) -> Block:
    """Raises BakeError with file, line and column."""
    try:
        return _Parser(source).file()
    except BakeError as problem:
        raise _located(source, name, problem) from None
    except RecursionError:
        raise BakeError(f"{name}: nested too deeply") from None
    except ValueError:
        raise BakeError(f"{name}: a number is too large") from None


def parse_template(text: str) -> Expression:
    """A string of a JSON file, which may hold `${…}`."""
    return _template(text, 0, escapes=False)


def _located(source: str, name: str, problem: BakeError) -> BakeError:
    before = source[: problem.at]
    line, column = before.count("\n") + 1, problem.at - (before.rfind("\n") + 1) + 1
    return BakeError(f"{name}:{line},{column}: {problem.message}")


def _template(text: str, at: int, *, escapes: bool) -> Expression:
    parts: list[Expression] = []
    plain, position = "", 0
    while position < len(text):
        if text.startswith(("$${", "%%{"), position):
            plain, position = plain + text[position + 1 : position + 3], position + 3
        elif text.startswith("%{", position):
            raise error(at + position, "template directives (%{) are not supported")
        elif text.startswith("${", position):
            end = template_end(text, position + 2, len(text))
            parts += [made.constant(plain)] if plain else []
            parts.append(_Parser(text, position + 2, end, shift=at).whole())
            plain, position = "", end + 1
        elif escapes and text[position] == "\\":
            letter, position = _escape(text, position, at)
            plain += letter
        else:
            plain, position = plain + text[position], position + 1
    if plain or not parts:
        parts.append(made.constant(plain))
    return made.template(parts)


def _escape(text: str, position: int, at: int) -> tuple[str, int]:
    letter = text[position + 1 : position + 2]
    if letter in _ESCAPES:
        return _ESCAPES[letter], position + 2
    match = re.compile(r"u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})").match(text, position + 1)
    if match and int(match[1] or match[2], 16) < 0x110000:
        return chr(int(match[1] or match[2], 16)), match.end()
    raise error(at + position, f"unknown escape \\{letter}")


class _Parser(Cursor):
    """Inside brackets newlines are nothing."""

    def file(self) -> Block:
        return self._body(Block("", [], {}, []), "end")

    def whole(self) -> Expression:
        """One expression and nothing else."""
        found = self._expression()
        self.lines()
        if self.now.kind != "end":
            raise self.unexpected()
        return found

    def _body(self, block: Block, closing: str) -> Block:
        self.lines()
        while not self.takes(closing):
            name = self.word()
            if self.takes("="):
                if name in block.attributes:
                    raise error(self.at, f"{name} is given twice")
                block.attributes[name] = self._expression()
            else:
                block.blocks.append(self._block(name))
            if not (self.now.text in ("\n", closing) or self.now.kind == "end"):
                raise self.unexpected()
            self.lines()
        return block

    def _block(self, name: str) -> Block:
        labels = []
        while self.now.kind in ("string", "word"):
            labels.append(self.next().text)
        self.expect("{")
        return self._body(Block(name, labels, {}, []), "}")

    def _expression(self) -> Expression:
        test = self._operation(0)
        if not self.takes("?"):
            return test
        self.lines()
        yes = self._expression()
        self.lines()
        self.expect(":")
        self.lines()
        return made.conditional(test, yes, self._expression())

    def _operation(self, level: int) -> Expression:
        if level == len(_LEVELS):
            return self._unary()
        left = self._operation(level + 1)
        while self.now.kind == "mark" and self.now.text in _LEVELS[level]:
            mark = self.next().text
            self.lines()
            left = made.binary(mark, left, self._operation(level + 1))
        return left

    def _unary(self) -> Expression:
        if self.takes("-"):
            return made.negative(self._unary())
        if self.takes("!"):
            return made.opposite(self._unary())
        return self._postfix(self._primary())

    def _postfix(self, found: Expression) -> Expression:
        while True:
            if self.takes("["):
                if self.takes("*"):
                    self.expect("]")
                    found = made.splat(found, self._attributes())
                else:
                    found = made.index(found, self._inside("]"))
            elif self.takes("."):
                if self.takes("*"):
                    found = made.splat(found, self._attributes())
                else:
                    found = made.index(found, made.constant(self.next().text))
            else:
                return found

    def _attributes(self) -> list[str]:
        names = []
        while self.takes("."):
            names.append(self.word())
        return names

    def _primary(self) -> Expression:
        before, token = self.position, self.next()
        match token.kind, token.text:
            case "number", text:
                return made.constant(float(text) if set(text) & set(".eE") else int(text))
            case (("string" | "raw"), text):
                return _template(text, token.at + 1 + self.shift, escapes=token.kind == "string")
            case "word", name:
                if self.takes("("):
                    return self._call(name)
                return made.constant(_WORDS[name]) if name in _WORDS else _variable(name)
            case "mark", "(":
                return self._inside(")")
            case "mark", "[":
                return self._loop("]") if self._begins_loop() else self._list()
            case "mark", "{":
                return self._loop("}") if self._begins_loop() else self._object()
        self.position = before
        raise self.unexpected()

    def _inside(self, closing: str) -> Expression:
        self.lines()
        found = self._expression()
        self.lines()
        self.expect(closing)
        return found

    def _call(self, name: str) -> Expression:
        arguments: list[Expression] = []
        expand = False
        self.lines()
        while not self.takes(")"):
            arguments.append(self._expression())
            expand = self.takes("...")
            self._separated(")")
        return made.call(name, arguments, expand=expand)

    def _list(self) -> Expression:
        items: list[Expression] = []
        self.lines()
        while not self.takes("]"):
            items.append(self._expression())
            self._separated("]")
        return lambda scope: [item(scope) for item in items]

    def _object(self) -> Expression:
        pairs: list[tuple[Expression, Expression]] = []
        self.lines()
        while not self.takes("}"):
            key = self._key()
            if not (self.takes("=") or self.takes(":")):
                raise self.unexpected()
            self.lines()
            pairs.append((key, self._expression()))
            self._separated("}", newline=True)
        return lambda scope: {text_of(key(scope)): value(scope) for key, value in pairs}

    def _key(self) -> Expression:
        if self.now.kind == "word":
            return made.constant(self.next().text)
        return self._expression()

    def _begins_loop(self) -> bool:
        self.lines()
        return self.now.text == "for" and self.now.kind == "word"

    def _loop(self, closing: str) -> Expression:
        self.next()
        names = [self.word()]
        if self.takes(","):
            names.append(self.word())
        if self.word() != "in":
            raise error(self.at, "a for needs an `in`")
        source = self._expression()
        self.lines()
        self.expect(":")
        self.lines()
        value, key = self._expression(), None
        if closing == "}":
            self.lines()
            self.expect("=>")
            self.lines()
            key, value = value, self._expression()
        grouped = self.takes("...")
        self.lines()
        test = None
        if self.now.text == "if" and self.now.kind == "word":
            self.next()
            test = self._expression()
        self.lines()
        self.expect(closing)
        return made.loop(names, source, key, value, test, grouped=grouped)

    def _separated(self, closing: str, *, newline: bool = False) -> None:
        had_line = self.now.text == "\n"
        self.lines()
        if self.takes(","):
            self.lines()
        elif self.now.text != closing and not (newline and had_line):
            raise self.unexpected()


def _variable(name: str) -> Expression:
    return lambda scope: scope.variable(name)
