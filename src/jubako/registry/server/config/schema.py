"""The schema of a registry's configuration. Every key is here; an unknown one is refused.

Secrets stand in files of their own, never in the configuration, so that it can be shown and shared.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import msgspec

from jubako.registry.server.config.values import Duration, Size
from jubako.registry.server.globs import Glob

Action = Literal["pull", "push", "delete"]
Event = Literal["push", "delete"]
EVERYTHING = (Glob("**"),)


class Section(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of all sections."""


class Tls(Section, frozen=True, kw_only=True):
    certificate: Path
    key: Path
    client_authorities: Path | None = None
    """Certificate authorities of clients: who shows a certificate of theirs is the user of its common name."""
    client_certificates: Literal["optional", "required"] = "required"


class TokenService(Section, frozen=True, kw_only=True):
    service: str = "jubako-registry"
    realm: str = ""
    """Where clients find this registry's /token, when not under the host that they asked."""
    lifetime: Duration = Duration(300)
    refresh_lifetime: Duration = Duration(30 * 86400)


class Oidc(Section, frozen=True, kw_only=True):
    """An issuer whose tokens stand for users. `jwks` is the URL or file of its keys; or else its discovery names it."""

    issuer: str
    audience: str
    jwks: str = ""
    user_claim: str = "sub"
    groups_claim: str = "groups"


class Rule(Section, frozen=True, kw_only=True):
    """Whoever is one of `users`, is in one of `groups`, or anybody when `anonymous`, may do `actions`."""

    repositories: tuple[Glob, ...]
    actions: frozenset[Action]
    users: frozenset[str] = frozenset()
    groups: frozenset[str] = frozenset()
    anonymous: bool = False


class Access(Section, frozen=True, kw_only=True):
    htpasswd: Path | None = None
    anonymous_pull: bool = False
    token_service: TokenService | None = None
    oidc: tuple[Oidc, ...] = ()
    groups: dict[str, frozenset[str]] = {}
    policy: tuple[Rule, ...] | None = None
    """Without a policy every user may do everything."""


class S3(Section, frozen=True, kw_only=True):
    bucket: str
    prefix: str = ""
    endpoint: str = ""
    region: str = "us-east-1"
    access_key_id: str = ""
    secret_access_key_file: Path | None = None
    virtual_hosted: bool = False


class Storage(Section, frozen=True, kw_only=True):
    s3: S3 | None = None


ON_DISK = Storage()


class Collection(Section, frozen=True, kw_only=True):
    every: Duration | None = None
    grace: Duration = Duration(3600)
    delete_untagged: bool = False


class Retention(Section, frozen=True, kw_only=True):
    """Of the tags that match, `newest` stay; those older than `max_age` go; `keep` names tags that always stay."""

    tags: tuple[Glob, ...] = EVERYTHING
    keep: tuple[Glob, ...] = ()
    newest: int | None = None
    max_age: Duration | None = None


class RepositoryRules(Section, frozen=True, kw_only=True):
    """What holds in the repositories that match; the first that gives a setting decides it."""

    match: tuple[Glob, ...]
    quota: Size | None = None
    immutable_tags: tuple[Glob, ...] | None = None
    retention: tuple[Retention, ...] | None = None


class Remote(Section, frozen=True, kw_only=True):
    url: str
    username: str = ""
    password_file: Path | None = None
    ca_file: Path | None = None


class Upstream(Remote, frozen=True, kw_only=True):
    """Repositories below `prefix` are copies of those of `url`, fetched when somebody wants them."""

    prefix: str
    tag_lifetime: Duration = Duration(300)


class Peer(Remote, frozen=True, kw_only=True):
    """A registry that gets what is pushed here."""

    repositories: tuple[Glob, ...] = EVERYTHING
    deletes: bool = True


class Webhook(Section, frozen=True, kw_only=True):
    url: str
    secret_file: Path | None = None
    events: frozenset[Event] = frozenset({"push", "delete"})
    repositories: tuple[Glob, ...] = EVERYTHING
    queue: int = 10_000


class Limits(Section, frozen=True, kw_only=True):
    """Requests a second of one client (a user, or an address), and how many at once before that counts."""

    rate: float | None = None
    burst: int = 100
    blob: Size | None = None


class Log(Section, frozen=True, kw_only=True):
    """The access log: JSON lines, to a file or standard error."""

    access: Literal["json", "none"] = "none"
    file: Path | None = None


class Configuration(Section, frozen=True, kw_only=True):
    root: Path
    listen: str = "127.0.0.1:5000"
    processes: int = 1
    drain: Duration = Duration(30)
    tls: Tls | None = None
    access: Access = Access()
    storage: Storage = ON_DISK
    collection: Collection = Collection()
    repositories: tuple[RepositoryRules, ...] = ()
    sparse_manifests: bool = False
    """Whether a manifest may name what its repository does not have."""
    upstreams: tuple[Upstream, ...] = ()
    peers: tuple[Peer, ...] = ()
    webhooks: tuple[Webhook, ...] = ()
    limits: Limits = Limits()
    log: Log = Log()
    metrics: bool = True
    web: bool = True
