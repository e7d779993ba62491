"""What names a git repository: `https://…/x.git#ref:subdir`, the query form, `git://`, `ssh://` and `git@host:path`.

Spec: Docker's "Build context", "Git repositories" and "URL queries".
"""

from __future__ import annotations

import re
from urllib.parse import parse_qsl, urlsplit

import msgspec

from jubako.build.truth import truth
from jubako.errors import InvalidArgument

_SCP = re.compile(r"([A-Za-z0-9_.-]+)@([A-Za-z0-9.-]+|\[[0-9A-Fa-f:]+\]):(?!/?/)([^#?]+)([?#].*)?")
_COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_SAFE_REF = re.compile(r"(?!-)[^\s~^:?*\[\\\x00-\x20\x7f]+")
_REFS = {"ref": "", "branch": "refs/heads/", "tag": "refs/tags/", "commit": ""}


class Repository(msgspec.Struct, frozen=True, kw_only=True):
    """A repository at `ref` (a branch, tag, full ref or commit; "" is its HEAD), of which `subdir` is wanted.

    With `own_keys` ssh may use the caller's keys and configuration.
    """

    url: str
    ref: str = ""
    subdir: str = ""
    checksum: str = ""
    keep_git_dir: bool = False
    submodules: bool = True
    own_keys: bool = False

    @property
    def names_commit(self) -> bool:
        return _COMMIT.fullmatch(self.ref) is not None

    @property
    def scheme(self) -> str:
        return urlsplit(self.url).scheme if "://" in self.url else "ssh"


def parse_git_url(text: str) -> Repository | None:
    """The repository that `text` names, or None when it names none. Raises InvalidArgument."""
    if match := _SCP.fullmatch(text):
        parts = urlsplit(match[4] or "")
        return _repository(f"{match[1]}@{match[2]}:{match[3]}", parts.query, parts.fragment)
    parts = urlsplit(text)
    if parts.scheme in ("http", "https") and not parts.path.rstrip("/").endswith(".git"):
        return None
    if parts.scheme not in ("http", "https", "git", "ssh"):
        return None
    if not parts.hostname or parts.hostname.startswith("-"):
        raise InvalidArgument(f"a git URL names a host: {text}")
    return _repository(parts._replace(query="", fragment="").geturl(), parts.query, parts.fragment)


def _repository(url: str, query: str, fragment: str) -> Repository:
    if query and fragment:
        raise InvalidArgument(f"{url}: a git URL has a query or a fragment, not both")
    if query:
        return _queried(url, query)
    ref, _, subdir = fragment.partition(":")
    return Repository(url=url, ref=_checked(ref), subdir=_clean(subdir))


def _queried(url: str, query: str) -> Repository:
    given = dict(parse_qsl(query, keep_blank_values=True))
    if unknown := set(given) - {*_REFS, "subdir", "checksum", "keep-git-dir", "submodules"}:
        raise InvalidArgument(f"{url}: unexpected query {sorted(unknown)[0]!r} in a git URL")
    refs = [prefix + given[name].removeprefix(prefix) for name, prefix in _REFS.items() if given.get(name)]
    if len(refs) > 1:
        raise InvalidArgument(f"{url}: only one of ref, branch, tag and commit can be given")
    return Repository(
        url=url,
        ref=_checked(refs[0] if refs else ""),
        subdir=_clean(given.get("subdir", "")),
        checksum=given.get("checksum", ""),
        keep_git_dir=_truth(given.get("keep-git-dir", "false")),
        submodules=_truth(given.get("submodules", "true")),
    )


def _checked(ref: str) -> str:
    if ref and (not _SAFE_REF.fullmatch(ref) or ".." in ref):
        raise InvalidArgument(f"not a git reference: {ref!r}")
    return ref


def _clean(subdir: str) -> str:
    return subdir.strip("/")


def _truth(text: str) -> bool:
    found = truth(text or "true")
    if found is None:
        raise InvalidArgument(f"expecting a boolean in a git URL, not {text!r}")
    return found
