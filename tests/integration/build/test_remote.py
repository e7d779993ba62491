"""ADD of URLs and git repositories, from servers in a network of the test's own."""

from __future__ import annotations

import base64
import hashlib
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from jubako.build import BuildResult, DockerfileError, build
from jubako.build.sources.address import resolve
from jubako.build.sources.giturl import parse_git_url
from jubako.errors import InvalidArgument, JubakoError, PermissionDenied

from .conftest import Site
from .test_copy_flags import archive
from .web import MODIFIED, Repo, Web, serving

pytestmark = [pytest.mark.root, pytest.mark.usefixtures("own_network")]


@pytest.fixture
def web(own_network: None) -> Iterator[Web]:
    with serving() as made:
        yield made


@pytest.fixture
def repo(tmp_path: Path, web: Web) -> Repo:
    made = Repo(tmp_path)
    made.commit("first", Dockerfile="FROM scratch\nCOPY a /a\n", a="one", sub__b="two")
    made.publish()
    web.directory = made.bare.parent
    return made


def add(site: Site, *words: str) -> BuildResult:
    return site.build(f"FROM base\nADD {' '.join(words)}\n")


def test_file_of_a_url_is_private_and_has_the_servers_time(site: Site, web: Web) -> None:
    web.files["/dir/data.bin"] = b"content"
    result = add(site, f"{web.url}/dir/data.bin?token=secret", "/dst/")
    assert site.read(result, "dst/data.bin") == "content"
    assert site.owner_and_mode(result, "dst/data.bin") == (0, 0, "600")
    assert (
        time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime(site.stat(result, "dst/data.bin").st_mtime)) == MODIFIED
    )
    history = site.image(result).config.history or []
    assert history[-1].created_by == f"ADD {web.url}/dir/data.bin?token=secret /dst/ # buildkit"


def test_unchanged_url_costs_one_conditional_request(site: Site, web: Web) -> None:
    web.files["/x"] = b"1"
    first = add(site, f"{web.url}/x", "/x")
    assert add(site, f"{web.url}/x", "/x").image_id == first.image_id
    assert web.asked == [("/x", 200), ("/x", 304)]
    web.files["/x"] = b"2"
    assert site.read(add(site, f"{web.url}/x", "/x"), "x") == "2"


def test_flags_apply_to_what_was_fetched(site: Site, web: Web) -> None:
    web.files["/a.tar.gz"] = archive()
    whole = add(site, "--chmod=755 --chown=app", f"{web.url}/a.tar.gz", "/dst/")
    assert site.owner_and_mode(whole, "dst/a.tar.gz") == (1000, 1001, "755")
    assert site.names(add(site, "--unpack", f"{web.url}/a.tar.gz", "/dst/"), "dst") == ["inside"]


def test_checksum_is_held_to_and_saves_the_request(site: Site, web: Web) -> None:
    web.files["/x"] = b"1"
    right = f"--checksum=sha256:{hashlib.sha256(b'1').hexdigest()}"
    first = add(site, right, f"{web.url}/x", "/x")
    web.files["/x"] = b"changed"
    assert add(site, right, f"{web.url}/x", "/x").image_id == first.image_id
    assert len(web.asked) == 1
    url = web.url.replace("http://", "http://user:hunter2@")
    with pytest.raises(JubakoError, match=f"digest mismatch for {web.url}/x"):
        add(site, f"--checksum=sha256:{'0' * 64}", f"{url}/x", "/x")


def test_redirect_is_followed_where_it_may_go(site: Site, web: Web) -> None:
    web.files["/real.txt"] = b"content"
    web.redirects |= {
        "/moved": "/real.txt",
        "/loop": "/loop",
        "/meta": "http://169.254.169.254/x",
        "/file": "file:///etc/passwd",
    }
    assert site.names(add(site, f"{web.url}/moved", "/dst/"), "dst") == ["real.txt"]
    for path, problem in (
        ("/loop", "more than 10 redirects"),
        ("/meta", "link-local or metadata address"),
        ("/file", "not http or https"),
        ("/none", "invalid response status 404"),
    ):
        with pytest.raises(JubakoError, match=f"Dockerfile:2:1: .*{problem}"):
            add(site, f"{web.url}{path}", "/dst/")


def test_body_that_ends_early_is_no_file(site: Site, web: Web) -> None:
    web.files["/x"] = b"short"
    web.headers["Content-Length"] = "50"
    with pytest.raises(JubakoError, match="early"):
        add(site, f"{web.url}/x", "/x")


@pytest.mark.parametrize(
    "host",
    [
        "169.254.169.254",
        "fe80::1",
        "::ffff:169.254.169.254",
        "64:ff9b::a9fe:a9fe",
        "fd00:ec2::254",
        "0.0.0.0",
        "2852039166",
    ],
)
def test_link_local_and_metadata_addresses_are_refused_in_every_spelling(host: str) -> None:
    with pytest.raises(PermissionDenied, match="may not fetch from"):
        resolve(host, 80)


def test_redirect_from_the_public_internet_may_not_lead_inside() -> None:
    assert not resolve("127.0.0.1", 80).public
    for host in ("127.0.0.1", "10.0.0.1", "::1"):
        with pytest.raises(PermissionDenied, match="redirect"):
            resolve(host, 80, public_only=True)


def test_repository_is_its_tree_at_the_ref(site: Site, web: Web, repo: Repo) -> None:
    old = repo.git("rev-parse", "HEAD")
    repo.git("tag", "--annotate", "--message=v1", "v1")
    repo.commit("second", a="changed")
    repo.publish()
    url = f"{web.url}/project.git"
    head = add(site, url, "/dst/")
    assert site.names(head, "dst") == ["Dockerfile", "a", "sub"]
    assert site.read(head, "dst/a") == "changed"
    for place in ("#v1", "#refs/tags/v1", f"#{old}", "?tag=v1", f"?commit={old}"):
        assert site.read(add(site, url + place, "/dst/"), "dst/a") == "one", place
    for place in ("#main:sub", "?branch=main&subdir=sub"):
        assert site.names(add(site, url + place, "/dst/"), "dst") == ["b"]


def test_repository_is_fetched_again_only_when_its_ref_moved(site: Site, web: Web, repo: Repo) -> None:
    url = f"{web.url}/project.git"
    first = add(site, url, "/dst/")
    asked = len(web.asked)
    assert add(site, url, "/dst/").image_id == first.image_id
    assert not [path for path, _ in web.asked[asked:] if "/objects/" in path]
    repo.commit("more", a="moved")
    repo.publish()
    assert site.read(add(site, url, "/dst/"), "dst/a") == "moved"


def test_git_directory_is_kept_when_asked_and_says_no_password(site: Site, web: Web, repo: Repo) -> None:
    url = f"{web.url}/project.git".replace("http://", "http://user:hunter2@")
    result = add(site, "--keep-git-dir", url, "/dst/")
    assert "hunter2" not in site.read(result, "dst/.git/config")
    assert web.url in site.read(result, "dst/.git/config")
    assert "hunter2" not in str(site.image(result).config.history) + site.output


def test_checksum_of_a_repository_is_its_commit(site: Site, web: Web, repo: Repo) -> None:
    commit = repo.git("rev-parse", "HEAD")
    add(site, f"--checksum={commit[:12]}", f"{web.url}/project.git", "/dst/")
    with pytest.raises(JubakoError, match="expected checksum to match"):
        add(site, f"--checksum={'0' * 40}", f"{web.url}/project.git", "/dst/")


def test_git_protocol_is_spoken(site: Site, repo: Repo, own_network: None) -> None:
    command = ["git", "daemon", "--export-all", "--listen=127.0.0.1", "--port=9418", f"--base-path={repo.bare.parent}"]
    with subprocess.Popen([*command, "--verbose"], stderr=subprocess.PIPE) as daemon:
        assert daemon.stderr
        assert b"Ready" in daemon.stderr.readline()
        try:
            result = add(site, "git://localhost/project.git#main:sub", "/dst/")
        finally:
            daemon.terminate()
    assert site.names(result, "dst") == ["b"]


def test_submodules_come_along_but_never_local_files(site: Site, web: Web, repo: Repo, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    module = Repo(tmp_path / "other")
    module.commit("module", inner="module")
    module.bare = repo.bare.with_name("module.git")
    module.publish()
    repo.git("submodule", "--quiet", "add", str(module.bare), "lib")
    repo.git("config", "--file", ".gitmodules", "submodule.lib.url", "../module.git")
    repo.commit("with a module")
    repo.publish()
    assert site.read(add(site, f"{web.url}/project.git", "/dst/"), "dst/lib/inner") == "module"
    repo.git("config", "--file", ".gitmodules", "submodule.lib.url", str(module.bare))
    repo.commit("with a local one")
    repo.publish()
    with pytest.raises(JubakoError, match="transport of the submodule"):
        add(site, f"{web.url}/project.git", "/dst/")


TOKEN = b"private-token-4711"
BASIC = "basic " + base64.b64encode(b"x-access-token:" + TOKEN).decode()


@pytest.mark.parametrize(
    ("secrets", "header"),
    [
        ({"GIT_AUTH_TOKEN": TOKEN + b"\n"}, BASIC),
        ({"GIT_AUTH_HEADER": b"Bearer " + TOKEN}, "Bearer " + TOKEN.decode()),
        ({"GIT_AUTH_TOKEN.HOST": TOKEN, "GIT_AUTH_TOKEN": b"another"}, BASIC),
    ],
)
def test_private_repository_is_reached_with_a_secret(
    site: Site, web: Web, repo: Repo, secrets: dict[str, bytes], header: str
) -> None:
    web.authorization = header
    given = {name.replace("HOST", web.url.removeprefix("http://")): value for name, value in secrets.items()}
    dockerfile = f"FROM base\nADD --keep-git-dir=true {web.url}/project.git /dst/\n"
    with pytest.raises(DockerfileError, match="status 401"):
        site.build(dockerfile)
    result = site.build(dockerfile, secrets=given)
    assert site.read(result, "dst/a") == "one"
    for path in [*site.root.rglob("*"), *site.run_root.rglob("*")]:
        if path.is_file() and not path.is_symlink():
            assert TOKEN not in path.read_bytes(), path
            assert header.encode() not in path.read_bytes(), path


def test_private_repository_as_context_and_as_named_context(site: Site, web: Web, repo: Repo) -> None:
    web.authorization = BASIC
    told = {"network": "none", "secrets": {"GIT_AUTH_TOKEN": TOKEN}}
    build(site.drivers, f"{web.url}/project.git", **told)
    result = site.build("FROM scratch\nCOPY --from=it a /b\n", contexts={"it": f"{web.url}/project.git"}, **told)
    assert site.read(result, "b") == "one"


def test_secret_for_a_repository_goes_to_its_own_host_alone(site: Site, web: Web, repo: Repo) -> None:
    with serving() as other:
        other.directory = web.directory
        for path in ("/info/refs", "/HEAD"):
            web.redirects[f"/moved.git{path}"] = f"{other.url}/project.git{path}"
        result = site.build(f"FROM base\nADD {web.url}/moved.git /dst/\n", secrets={"GIT_AUTH_TOKEN": TOKEN})
        assert site.read(result, "dst/a") == "one"
        assert other.seen == {None}
    assert web.seen == {BASIC}


def test_missing_ref_directory_and_repository_are_named(site: Site, web: Web, repo: Repo) -> None:
    for place, problem in (
        ("project.git#none", "does not contain ref none"),
        ("project.git#main:none", "subdir 'none' not found"),
        ("other.git", "status 404"),
    ):
        with pytest.raises(JubakoError, match=f"Dockerfile:2:1: .*{problem}"):
            add(site, f"{web.url}/{place}", "/dst/")


def test_subdirectory_leads_nowhere_outside_the_repository(site: Site, web: Web, repo: Repo) -> None:
    assert site.names(add(site, f"{web.url}/project.git#main:../..", "/dst/"), "dst") == ["Dockerfile", "a", "sub"]


@pytest.mark.parametrize(
    "url",
    [
        "ext::sh%20-c%20id",
        "file:///srv/x.git",
        "https://h.test/x.git#--upload-pack=id",
        "ssh://-oProxyCommand=id/x.git",
    ],
)
def test_urls_that_would_run_or_read_something_here_are_refused(site: Site, url: str) -> None:
    with pytest.raises((DockerfileError, InvalidArgument)):
        add(site, url, "/dst/")


def test_forms_of_a_repository() -> None:
    found = parse_git_url("git@host.test:group/x.git#v1:sub/dir")
    assert found is not None
    assert (found.url, found.ref, found.subdir, found.scheme) == ("git@host.test:group/x.git", "v1", "sub/dir", "ssh")
    assert parse_git_url("https://host.test/x.tar.gz") is None
    with pytest.raises(InvalidArgument, match="only one of"):
        parse_git_url("https://host.test/x.git?tag=a&branch=b")
