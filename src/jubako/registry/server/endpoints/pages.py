"""The web page: repositories, a repository's tags, and what a manifest is made of."""

from __future__ import annotations

import time
from typing import Any

from aiohttp import web

from jubako.image import manifest as documents
from jubako.registry.server.access.caller import Caller
from jubako.registry.server.access.guard import BASIC, challenge
from jubako.registry.server.documents import tag_key
from jubako.registry.server.refusal import Refused
from jubako.registry.server.registry import Registry, in_thread
from jubako.registry.server.routes import Route
from jubako.registry.server.usage import used
from jubako.registry.server.web import page as html
from jubako.spec.distribution import Code
from jubako.spec.oci_image import Descriptor, Index


async def home(registry: Registry, request: web.BaseRequest, route: Route, caller: Caller) -> web.StreamResponse:
    """The repositories that the caller may pull from."""
    names = await in_thread(registry.manifests.repositories)
    seen = [name for name in names if registry.may_see(caller, name)]
    if not seen and not caller.user and not registry.guard.is_open:
        raise challenge(BASIC, [])
    rows = await in_thread(lambda: [_repository_row(registry, name) for name in seen])
    return _page(
        registry, "Repositories", html.table(("Name", "Tags#", "Size#"), rows, empty="Nothing was pushed yet.")
    )


async def repository(registry: Registry, request: web.BaseRequest, route: Route, caller: Caller) -> web.StreamResponse:
    """The tags of one repository, the newest first."""
    rows = await in_thread(_tag_rows, registry, route.name)
    pull = html.Html(f"<p>Pull with {html.code(f'docker pull {request.host}/{route.name}:TAG')}</p>")
    tags = html.table(("Tag", "Digest", "Size#", "Pushed"), rows, empty="There are no tags.")
    return _page(registry, route.name, pull, tags)


async def manifest(registry: Registry, request: web.BaseRequest, route: Route, caller: Caller) -> web.StreamResponse:
    """What one manifest or index names, and what refers to it."""
    parts = await in_thread(_manifest_parts, registry, route.name, route.reference)
    return _page(registry, f"{route.name}@{route.reference[:19]}…", *parts)


async def style(registry: Registry, request: web.BaseRequest, route: Route, caller: Caller) -> web.StreamResponse:
    headers = {"Content-Type": "text/css; charset=utf-8", "Cache-Control": "max-age=3600"}
    return web.Response(text=html.STYLE, headers=headers)


def _repository_row(registry: Registry, name: str) -> tuple[str, ...]:
    tags = registry.manifests.tags(name)
    return html.link(f"/-/repository/{name}", name), str(len(tags)), html.size(used(registry.state, name))


def _tag_rows(registry: Registry, name: str) -> list[tuple[str, ...]]:
    read = registry.state.read
    found = [(tag, read.tags.get(tag_key(name, tag))) for tag in registry.manifests.tags(name)]
    found.sort(key=lambda pair: pair[1].pushed, reverse=True)
    return [
        (
            tag,
            html.link(f"/-/manifest/{name}@{entry.digest}", entry.digest[:19] + "…"),
            html.size(_total(registry, name, entry.digest)),
            _moment(entry.pushed),
        )
        for tag, entry in found
    ]


def _total(registry: Registry, name: str, reference: str) -> int:
    """What pulling a manifest transfers; of an index, all of its children."""
    digest, entry = registry.manifests.resolve(name, reference)
    document = documents.decode(registry.manifests.read(digest), entry.media_type)
    if isinstance(document, Index):
        return entry.size + sum(child.size for child in document.manifests)
    return entry.size + document.config.size + sum(layer.size for layer in document.layers)


def _manifest_parts(registry: Registry, name: str, digest: str) -> list[html.Html]:
    found, entry = registry.manifests.resolve(name, digest)
    document = documents.decode(registry.manifests.read(found), entry.media_type)
    facts = [("Digest", html.code(found)), ("Media type", html.code(entry.media_type))]
    facts += [(key, html.code(value)) for key, value in _annotations(document.annotations)]
    parts = [html.table(("", ""), facts, empty="")]
    if isinstance(document, Index):
        rows = [_child_row(name, child) for child in document.manifests]
        parts += [html.heading("Manifests"), html.table(("Platform", "Digest", "Size#"), rows, empty="None.")]
    else:
        rows = [_blob_row(blob) for blob in (document.config, *document.layers)]
        parts += [html.heading("Content"), html.table(("Media type", "Digest", "Size#"), rows, empty="None.")]
    referrers = [_referrer_row(name, one) for one in registry.manifests.referrers(name, found)]
    parts += [
        html.heading("Referrers"),
        html.table(("Type", "Digest", "Size#"), referrers, empty="Nothing refers to it."),
    ]
    return parts


def _child_row(name: str, child: Descriptor) -> tuple[str, ...]:
    platform = child.platform
    shown = (
        "/".join(part for part in (platform.os, platform.architecture, platform.variant) if part) if platform else ""
    )
    return shown or "—", html.link(f"/-/manifest/{name}@{child.digest}", child.digest[:19] + "…"), html.size(child.size)


def _blob_row(blob: Descriptor) -> tuple[str, ...]:
    return html.code(blob.media_type), html.code(blob.digest[:19] + "…"), html.size(blob.size)


def _referrer_row(name: str, one: Descriptor) -> tuple[str, ...]:
    where = html.link(f"/-/manifest/{name}@{one.digest}", one.digest[:19] + "…")
    return html.code(one.artifact_type or one.media_type), where, html.size(one.size)


def _annotations(found: Any) -> list[tuple[str, str]]:
    return sorted(found.items()) if isinstance(found, dict) else []


def _moment(seconds: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(seconds)) if seconds else "—"


def _page(registry: Registry, title: str, *parts: html.Html) -> web.Response:
    if not registry.configuration.web:
        raise Refused(Code.UNSUPPORTED, "there is no such endpoint", status=404)
    body, headers = html.page(title, *parts)
    return web.Response(body=body, headers=headers)
