"""Links in pages of pods: what is changed, what goes by as it came, and that little is held back."""

from __future__ import annotations

import gzip
import random
import zlib
from collections.abc import Callable
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from multidict import CIMultiDict

from jubako.cluster.apiserver.http.proxying.coding import PIECE_BYTES, coding
from jubako.cluster.apiserver.http.proxying.headers import moved
from jubako.cluster.apiserver.http.proxying.links import MOST_TAG_BYTES, Links
from jubako.cluster.apiserver.http.proxying.pages import page


def lead(link: str) -> str:
    return moved(link, "/proxy", "api:6443", ("10.1.2.3:80", "10.1.2.3"))


def changed(text: bytes, *cuts: int) -> bytes:
    links, places = Links(lead), [0, *sorted(cuts), len(text)]
    pieces = [links.feed(text[begin:end]) for begin, end in pairwise(places)]
    return b"".join([*pieces, links.end()])


CASES = [
    (b'<a href="/x?a=1&amp;b=2#c">', b'<a href="/proxy/x?a=1&amp;b=2#c">'),
    (b"<A\n HREF = '/x' class=b>", b"<A\n HREF = '/proxy/x' class=b>"),
    (b"<a class=b href=/x>y</a>", b"<a class=b href=/proxy/x>y</a>"),
    (b"<img src=/a.png alt='>' longdesc=/b/>", b"<img src=/proxy/a.png alt='>' longdesc=/proxy/b/>"),
    (b'<link rel=icon href="/i"/><base href="/">', b'<link rel=icon href="/proxy/i"/><base href="/proxy/">'),
    (b"<form action=/go><button formaction=/b>", b"<form action=/proxy/go><button formaction=/proxy/b>"),
    (b'<a href="http://10.1.2.3/x"><a href="//10.1.2.3:80/x">', b'<a href="/proxy/x"><a href="/proxy/x">'),
    (b'<a href="https://api:6443/x">', b'<a href="https://api:6443/proxy/x">'),
    (b'<a href="/\xc3\xa9&eacute;&euro;">', b'<a href="/proxy/\xc3\xa9\xe9&#8364;">'),
]
SAME = [
    b'<a href="x"><a href="../x"><a href="#f"><a href=""><a href><a href=>',
    b'<a href="http://example.com/x"><a href="//cdn/x"><a href="javascript:/x"><a href="/proxy/x">',
    b'<p href="/x"><a title="/x" data-href="/x"><a data="/x">',
    b"<!-- <a href=/x> -- > --><!doctype a href=/x><?a href=/x?></ a href=/x>",
    b"<style>a{}<a href=/x></styl></style><title><a href=/x></title><textarea><a href='/x'></textarea>",
    b"a < b href=/x <<1 <a href='/x",
    b"\x00<\x00a\x00 \x00h\x00r\x00e\x00f\x00=\x00/\x00x\x00>",
    b"</a href=/x>",
]


@pytest.mark.parametrize(("before", "after"), CASES)
def test_links_that_are_absolute_paths_lead_through_the_proxy(before: bytes, after: bytes) -> None:
    assert changed(before) == after


@pytest.mark.parametrize("text", SAME)
def test_everything_else_goes_by_as_it_came(text: bytes) -> None:
    assert changed(text) == text


def test_the_text_of_a_script_is_no_markup() -> None:
    text = b'<script src="/s.js">f("<a href=/x>")</SCRIPT ><a href=/x>'
    assert changed(text) == b'<script src="/proxy/s.js">f("<a href=/x>")</SCRIPT ><a href=/proxy/x>'


PAGE = b"".join([before for before, _ in CASES] + SAME[:5] + [b"<script><a href=/x></script><a href='/x'>"])


@given(st.lists(st.integers(0, len(PAGE)), max_size=8))
def test_where_a_page_is_cut_makes_no_difference(cuts: list[int]) -> None:
    assert changed(PAGE, *cuts) == changed(PAGE)


@given(st.binary(max_size=80), st.lists(st.sampled_from([b"<a ", b"<!--", b"-->", b"href=", b'"', b"'", b"/", b">"])))
def test_what_is_no_html_goes_by_and_ends(noise: bytes, signs: list[bytes]) -> None:
    links = Links(lambda link: link)
    text = noise.join([b"", *signs, b""])
    assert b"".join([*(links.feed(text[n : n + 1]) for n in range(len(text))), links.end()]) == text


def test_a_tag_without_end_is_not_held_back() -> None:
    links, told = Links(lead), 0
    for _ in range(100):
        told += len(links.feed(b'<a href="' + b"/x" * 2048))
        assert len(links._held) <= MOST_TAG_BYTES
    assert told > 90 * 4096


CODERS: dict[str, tuple[Callable[[bytes], bytes], Callable[[bytes], bytes]]] = {
    "": (bytes, bytes),
    "gzip": (gzip.compress, gzip.decompress),
    "deflate": (zlib.compress, zlib.decompress),
}


@pytest.mark.parametrize("name", CODERS)
def test_a_coded_page_stays_coded(name: str) -> None:
    pack, unpack = CODERS[name]
    headers = CIMultiDict({"Content-Type": "Text/HTML; charset=utf-8", "Content-Encoding": name, "Content-Length": "1"})
    found = page(200, headers, lead)
    assert found is not None
    assert "Content-Length" not in headers
    sent = pack(b"<a href=/x>" + random.Random(1).randbytes(PIECE_BYTES).replace(b"<", b"") * 2)
    pieces = [piece for n in range(0, len(sent), 1000) for piece in found.feed(sent[n : n + 1000])]
    assert unpack(b"".join([*pieces, found.end()])).startswith(b"<a href=/proxy/x>")


def test_bare_deflate_and_members_of_gzip_are_read() -> None:
    writer = zlib.compressobj(wbits=-15)
    bare = writer.compress(b"text") + writer.flush()
    for name, sent in (("deflate", bare), ("gzip", gzip.compress(b"te") + gzip.compress(b"xt"))):
        found = coding(name)
        assert found is not None
        assert b"".join(found.decode(sent)) + found.rest() == b"text"


def test_a_page_of_a_few_bytes_that_stand_for_many_is_read_in_pieces() -> None:
    found = coding("gzip")
    assert found is not None
    sizes = [len(piece) for piece in found.decode(gzip.compress(b"\0" * (32 << 20)))]
    assert sum(sizes) == 32 << 20
    assert max(sizes) <= PIECE_BYTES


def test_a_coded_page_that_breaks_off_is_an_error() -> None:
    found = page(200, CIMultiDict({"Content-Type": "text/html", "Content-Encoding": "gzip"}), lead)
    assert found is not None
    list(found.feed(gzip.compress(b"text")[:-9]))
    with pytest.raises(zlib.error):
        found.end()


@pytest.mark.parametrize(
    ("status", "headers"),
    [
        (200, {"Content-Type": "text/plain"}),
        (200, {}),
        (206, {"Content-Type": "text/html"}),
        (200, {"Content-Type": "text/html", "Content-Encoding": "br"}),
        (302, {"Content-Type": "text/html", "Location": "/x"}),
    ],
)
def test_what_is_no_page_or_can_not_be_read_stays_as_it_is(status: int, headers: dict[str, str]) -> None:
    whole = CIMultiDict({**headers, "Content-Length": "1"})
    assert page(status, whole, lead) is None
    assert whole["Content-Length"] == "1"
