"""Links in a page of a pod -> links that lead through the proxy, while the page streams by.

Model:      text, comments, tags, and elements whose content is no markup (script, style …). Only values of attributes
            that hold links are changed; every other byte goes by as it came, whatever its character set.
Invariant:  no more than MOST_TAG_BYTES are held back between two pieces; a longer tag goes by unchanged.
Spec:       k8s.io/apimachinery/pkg/util/proxy/transport.go, which elements; HTML, "Tokenization".
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable

MOST_TAG_BYTES = 64 << 10
_LINKS: dict[bytes, tuple[bytes, ...]] = {
    b"a": (b"href",), b"applet": (b"codebase",), b"area": (b"href",), b"audio": (b"src",), b"base": (b"href",),
    b"blockquote": (b"cite",), b"body": (b"background",), b"button": (b"formaction",), b"command": (b"icon",),
    b"del": (b"cite",), b"embed": (b"src",), b"form": (b"action",), b"frame": (b"longdesc", b"src"),
    b"head": (b"profile",), b"html": (b"manifest",), b"iframe": (b"longdesc", b"src"),
    b"img": (b"longdesc", b"src", b"usemap"), b"input": (b"formaction", b"src", b"usemap"), b"ins": (b"cite",),
    b"link": (b"href",), b"object": (b"classid", b"codebase", b"data", b"usemap"), b"q": (b"cite",),
    b"script": (b"src",), b"source": (b"src",), b"video": (b"poster", b"src"),
}  # fmt: skip
_NO_MARKUP = (b"iframe", b"noembed", b"noframes", b"plaintext", b"script", b"style", b"textarea", b"title", b"xmp")
_TAG = re.compile(rb"<(/?[a-zA-Z][^\s/>]*)")
# A name, and a value in quotes of either kind or in none; what is matched at the end of the data may go on.
_ATTRIBUTE = re.compile(rb"""[\s/]*(=?[^\s/>=]*)(\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s>"'][^\s>]*))?)?""")
_COMMENT_END = re.compile(rb"--!?>")
_Read = tuple[bytes, int]
"""What goes by, and where in the data it ends."""


class Links:
    """Of one page; `moved` returns where a link leads now."""

    def __init__(self, moved: Callable[[str], str]) -> None:
        self._moved = moved
        self._held = b""
        self._read: Callable[[bytes, int], _Read | None] = self._text
        self._end_tag = re.compile(b"")

    def feed(self, data: bytes) -> bytes:
        """Take a piece of the page, and return what is done by now."""
        data, at, done = self._held + data, 0, []
        while at < len(data) and (found := self._read(data, at)) is not None:
            done.append(found[0])
            at = found[1]
        self._held = data[at:]
        if len(self._held) > MOST_TAG_BYTES:
            done.append(self._held)
            self._held, self._read = b"", self._until_closed
        return b"".join(done)

    def end(self) -> bytes:
        """Return what was held back for more to come."""
        return self._held

    def _text(self, data: bytes, at: int) -> _Read | None:
        start = data.find(b"<", at)
        if start < 0:
            return data[at:], len(data)
        head = data[start : start + 4]
        if len(head) < 4:
            return (data[at:start], start) if start > at else None
        if head == b"<!--":
            self._read, start = self._comment, start + 2
        elif head[1] in b"!?" or (head[1] in b"/" and not head[2:3].isalpha()):
            self._read, start = self._until_closed, start + 1
        elif head[1:2].isalpha() or head[1] in b"/":
            self._read = self._tag
        else:
            start += 1
        return data[at:start], start

    def _comment(self, data: bytes, at: int) -> _Read | None:
        if found := _COMMENT_END.search(data, at):
            self._read = self._text
            return data[at : found.end()], found.end()
        return _all_but(3, data, at)

    def _until_closed(self, data: bytes, at: int) -> _Read:
        end = data.find(b">", at) + 1
        if end:
            self._read = self._text
        return data[at : end or len(data)], end or len(data)

    def _tag(self, data: bytes, at: int) -> _Read | None:
        tag = _TAG.match(data, at)
        if tag is None or data.find(b">", at) < 0:
            return None
        name, position = tag[1].lower(), tag.end()
        done, copied = [], at
        while data[position : position + 1] != b">":
            attribute = _ATTRIBUTE.match(data, position)
            assert attribute is not None
            position = attribute.end()
            value = next((n for n in (3, 4, 5) if attribute[n] is not None), 0)
            if position >= len(data) or (attribute[2] and not value and data[position] in b"\"'"):
                return None
            if value and attribute[1].lower() in _LINKS.get(name, ()):
                done += [data[copied : attribute.start(value)], self._link(attribute[value])]
                copied = attribute.end(value)
        self._read = self._text
        if name in _NO_MARKUP:
            self._read, self._end_tag = self._content, re.compile(rb"</%s[\s/>]" % name, re.IGNORECASE)
        return b"".join([*done, data[copied : position + 1]]), position + 1

    def _content(self, data: bytes, at: int) -> _Read | None:
        if found := self._end_tag.search(data, at):
            self._read = self._text
            return data[at : found.start()], found.start()
        return _all_but(len(self._end_tag.pattern), data, at)

    def _link(self, written: bytes) -> bytes:
        link = html.unescape(written.decode("latin-1"))
        moved = self._moved(link)
        return written if moved == link else html.escape(moved).encode("latin-1", "xmlcharrefreplace")


def _all_but(few: int, data: bytes, at: int) -> _Read | None:
    """What ends this may be cut in two: the last few bytes wait for what follows."""
    end = max(len(data) - few, at)
    return (data[at:end], end) if end > at else None
