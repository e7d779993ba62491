"""From a template's text to its tree, by recursive descent."""

from __future__ import annotations

import ast
from collections.abc import Container

from jubako.cli.gotemplate.lexer import Token, pieces, where
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
from jubako.cli.gotemplate.values import TemplateError

_KEYWORDS = {"true": True, "false": False, "nil": None}


def parse(template: str, functions: Container[str]) -> list[Node]:
    return _Blocks(template, functions).parse()


class _Blocks:
    """Nests the actions: if, with, range, else, end."""

    def __init__(self, template: str, functions: Container[str]) -> None:
        self.template = template
        self.functions = functions
        self.pieces = pieces(template)

    def parse(self) -> list[Node]:
        nodes, stop = self.block()
        if stop is not None:
            raise TemplateError(f"{where(self.template, stop[0].position)}: unexpected {{{{{stop[0].text}}}}}")
        return nodes

    def block(self) -> tuple[list[Node], list[Token] | None]:
        """The nodes up to `else`, `end` or the end of the template, and the tokens that ended the block."""
        nodes: list[Node] = []
        for kind, content, position in self.pieces:
            if isinstance(content, str):
                nodes.append(Text(content, position))
                continue
            if not content:
                raise TemplateError(f"{where(self.template, position)}: missing value for command")
            word = content[0].text if content[0].kind == "word" else kind
            if word in ("else", "end"):
                return nodes, content
            if word in ("if", "with", "range"):
                nodes.append(self.branch(word, content[1:], position))
            elif word in ("break", "continue"):
                nodes.append(Jump(word, position))
            elif word in ("define", "template", "block"):
                raise TemplateError(f"{where(self.template, position)}: {word} is not supported")
            else:
                nodes.append(self.pipe(content, position))
        return nodes, None

    def branch(self, keyword: str, tokens: list[Token], position: int) -> Branch:
        pipe = self.pipe(tokens, position, keyword)
        body, stop = self.block()
        orelse: list[Node] = []
        if stop and stop[0].text == "else":
            rest = [token for token in stop[1:] if token.kind != "space"]
            if rest:
                inner = self.branch(rest[0].text, stop[stop.index(rest[0]) + 1 :], position)
                return Branch(keyword, pipe, body, [inner])
            orelse, stop = self.block()
        if stop is None or stop[0].text != "end":
            raise TemplateError(f"{where(self.template, len(self.template))}: unexpected EOF")
        return Branch(keyword, pipe, body, orelse)

    def pipe(self, tokens: list[Token], position: int, context: str = "command") -> Pipe:
        line = _Line(self.template, tokens, self.functions, position)
        pipe = line.pipe(context)
        if line.tokens:
            line.fail(f"unexpected {line.tokens[0].text!r} in {context}")
        return pipe


class _Line:
    """Parses the inside of one action."""

    def __init__(self, template: str, tokens: list[Token], functions: Container[str], position: int) -> None:
        self.template = template
        self.tokens = list(tokens)
        self.functions = functions
        self.position = position

    def fail(self, message: str) -> TemplateError:
        raise TemplateError(f"{where(self.template, self.position)}: {message}")

    def skip_space(self) -> None:
        while self.tokens and self.tokens[0].kind == "space":
            self.tokens.pop(0)

    def next_is(self, text: str) -> bool:
        self.skip_space()
        return bool(self.tokens) and self.tokens[0].text == text

    def pipe(self, context: str) -> Pipe:
        names, declares = self.assignment()
        self.skip_space()
        start = self.tokens[0].position if self.tokens else self.position
        commands = [self.command(context)]
        while self.next_is("|"):
            self.tokens.pop(0)
            commands.append(self.command(context))
        return Pipe(commands, names, declares, self.source(start), start)

    def source(self, start: int) -> str:
        end = self.tokens[0].position if self.tokens else len(self.template)
        return self.template[start:end].split("}}")[0].rstrip(" -")

    def assignment(self) -> tuple[list[str], bool]:
        """`$a :=`, `$a =` or `$i, $a :=` at the head of a pipe."""
        words = [(index, token) for index, token in enumerate(self.tokens) if token.kind != "space"]
        names: list[str] = []
        for index, token in words:
            if token.kind == "variable":
                names.append(token.text)
            elif names and token.text in (":=", "="):
                del self.tokens[: index + 1]
                return names, token.text == ":="
            elif not (names and token.text == ","):
                break
        return [], False

    def command(self, context: str) -> Command:
        self.skip_space()
        start = self.tokens[0].position if self.tokens else self.position
        words: list[Node] = []
        while self.tokens and self.tokens[0].text not in ("|", ")"):
            words.append(self.operand())
            if self.tokens and self.tokens[0].kind != "space" and self.tokens[0].text not in ("|", ")"):
                self.fail(f"unexpected {self.tokens[0].text!r} in operand")
            self.skip_space()
        if not words:
            self.fail(f"missing value for {context}")
        return Command(words, self.source(start), start)

    def operand(self) -> Node:
        token = self.tokens.pop(0)
        base = self.term(token)
        fields = [token] if token.kind == "field" else []
        while self.tokens and self.tokens[0].kind == "field":
            fields.append(self.tokens.pop(0))
        if not fields:
            return base
        names = [field.text[1:] for field in fields]
        text = base.text.removeprefix(".") + "".join(f".{name}" for name in names)
        return Chain(base, names, text, fields[-1].position)

    def term(self, token: Token) -> Node:
        text, position = token.text, token.position
        match token.kind:
            case "dot" | "field":
                return Dot(".", position)
            case "variable":
                return Variable(text, position)
            case "string":
                return Constant(self.string(text), text, position)
            case "char":
                return Constant(ord(self.string(text)), text, position)
            case "number":
                return Constant(self.number(text), text, position)
            case "word" if text in _KEYWORDS:
                return Constant(_KEYWORDS[text], text, position)
            case "word":
                if text not in self.functions:
                    self.fail(f'function "{text}" not defined')
                return Function(text, position)
        if text == "(":
            return self.parenthesis()
        raise self.fail(f'unexpected "{text}" in operand')

    def parenthesis(self) -> Pipe:
        pipe = self.pipe("parenthesized pipeline")
        if not self.next_is(")"):
            self.fail("unclosed left paren")
        self.tokens.pop(0)
        return pipe

    def string(self, text: str) -> str:
        if text[0] == "`":
            return text[1:-1]
        try:
            return str(ast.literal_eval(text))
        except (SyntaxError, ValueError):
            raise self.fail(f"invalid syntax: {text}") from None

    def number(self, text: str) -> int | float:
        try:
            return int(text, 0)
        except ValueError:
            try:
                return float(text)
            except ValueError:
                raise self.fail(f"bad number syntax: {text!r}") from None
