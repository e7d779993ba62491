"""Go's text/template, as far as `--format` needs it: fields, pipes, if, with, range, variables, functions.

A template is parsed once into a tree (`parser`) and walked for each row (`evaluate`). Data are plain Python values:
a `Record` is what a struct is in Go (a missing field is an error), a plain dict is a map (a missing key prints
`<no value>`), callables stand for methods. Left out are `define`, `template` and `block`.
Reference: https://pkg.go.dev/text/template and Docker's additional functions (json, join, split, lower, upper, title,
pad, truncate).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from jubako.cli.gotemplate.evaluate import execute
from jubako.cli.gotemplate.functions import FUNCTIONS, HEADER_FUNCTIONS
from jubako.cli.gotemplate.parser import parse
from jubako.cli.gotemplate.values import Record, TemplateError, record

__all__ = ["HEADER_FUNCTIONS", "Record", "Template", "TemplateError", "record"]


class Template:
    """A parsed template; raises TemplateError (a ValueError) where the text is not one."""

    def __init__(self, text: str, functions: Mapping[str, Callable[..., object]] | None = None) -> None:
        self.functions = {**FUNCTIONS, **(functions or {})}
        self.nodes = parse(text, self.functions)

    def render(self, data: object) -> str:
        return execute(self.nodes, data, self.functions)
