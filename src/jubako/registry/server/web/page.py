"""HTML of the web page: written on the server, without scripts, with every text escaped."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from urllib.parse import quote

STYLE = """
:root { color-scheme: light dark; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 0 auto; padding: 1.5rem; }
header { display: flex; gap: .6rem; align-items: baseline; border-bottom: 1px solid #8884; margin-bottom: 1.5rem; }
header a { font-weight: 600; text-decoration: none; color: inherit; font-size: 1.2rem; }
h1 { font-size: 1.4rem; margin: 0 0 1rem; overflow-wrap: anywhere; }
h2 { font-size: 1.05rem; margin: 2rem 0 .5rem; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; padding: .4rem .8rem .4rem 0; border-bottom: 1px solid #8883; vertical-align: top; }
th { font-weight: 600; color: #888; }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
code { font: .85em ui-monospace, monospace; overflow-wrap: anywhere; }
a { color: #0a6cce; }
.empty { color: #888; }
@media (prefers-color-scheme: dark) { a { color: #6cb6ff; } }
"""
_UNITS = ("B", "kB", "MB", "GB", "TB")
_HEADERS = {
    "Content-Type": "text/html; charset=utf-8",
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


class Html(str):
    """Text that is HTML already. Everything else is escaped where it is put in."""


def page(title: str, *parts: Html) -> tuple[bytes, dict[str, str]]:
    """A whole document and the headers that it is sent with."""
    body = "\n".join(parts)
    text = (
        "<!doctype html>\n<html lang=en><head><meta charset=utf-8>"
        '<meta name=viewport content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><link rel=stylesheet href=/-/style.css></head>\n"
        "<body><header><a href=/>Registry</a></header>\n"
        f"<main><h1>{escape(title)}</h1>\n{body}\n</main></body></html>\n"
    )
    return text.encode(), dict(_HEADERS)


def table(heads: Iterable[str], rows: Iterable[Iterable[str]], *, empty: str) -> Html:
    """A table; a head that ends in `#` is of a column of numbers."""
    columns = list(heads)
    classes = [' class="number"' if head.endswith("#") else "" for head in columns]
    lines = ["".join(f"<td{kind}>{text(cell)}</td>" for kind, cell in zip(classes, row, strict=True)) for row in rows]
    if not lines:
        return Html(f'<p class="empty">{escape(empty)}</p>')
    head = "".join(f"<th{kind}>{escape(name.rstrip('#'))}</th>" for kind, name in zip(classes, columns, strict=True))
    return Html(f"<table><thead><tr>{head}</tr></thead><tbody><tr>{'</tr><tr>'.join(lines)}</tr></tbody></table>")


def text(value: str) -> str:
    return value if isinstance(value, Html) else escape(value)


def link(path: str, label: str) -> Html:
    return Html(f'<a href="{escape(quote(path, safe="/@:.-_"))}">{escape(label)}</a>')


def code(value: str) -> Html:
    return Html(f"<code>{escape(value)}</code>")


def heading(value: str) -> Html:
    return Html(f"<h2>{escape(value)}</h2>")


def size(value: int) -> str:
    """A number of bytes as people read it."""
    number, unit = float(value), 0
    while number >= 1000 and unit < len(_UNITS) - 1:
        number, unit = number / 1000, unit + 1
    return f"{number:.{1 if unit else 0}f} {_UNITS[unit]}"
