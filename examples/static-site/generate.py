"""Pages of plain text to HTML: the first line is the title, paragraphs are parted by empty lines."""

from __future__ import annotations

import html
import sys
from pathlib import Path

PAGE = """<!doctype html>
<meta charset="utf-8">
<title>{title}</title>
<nav>{links}</nav>
<h1>{title}</h1>
{body}
"""


def read(path: Path) -> tuple[str, list[str]]:
    title, _, text = path.read_text().partition("\n")
    return title, [part.strip() for part in text.split("\n\n") if part.strip()]


def generate(source: Path, target: Path) -> None:
    pages = {path.stem: read(path) for path in sorted(source.glob("*.txt"))}
    links = " ".join(f'<a href="{name}.html">{html.escape(title)}</a>' for name, (title, _) in pages.items())
    target.mkdir(parents=True, exist_ok=True)
    for name, (title, paragraphs) in pages.items():
        body = "\n".join(f"<p>{html.escape(text)}</p>" for text in paragraphs)
        (target / f"{name}.html").write_text(PAGE.format(title=html.escape(title), links=links, body=body))


if __name__ == "__main__":
    generate(Path(sys.argv[1]), Path(sys.argv[2]))
