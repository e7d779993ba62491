"""RUN --mount: bind, cache, tmpfs, secret."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from jubako.build import CommandFailed, DockerfileError
from jubako.build.cachemounts import CacheMounts

from .conftest import Site

pytestmark = pytest.mark.root


def layer(site: Site, result: object) -> list[str]:
    top = site.snapshots.layer_path(site.image(result).diff_ids[-1])  # type: ignore[arg-type]
    return sorted(str(path.relative_to(top)) for path in top.rglob("*"))


def test_bind_of_the_context_shows_what_is_not_ignored_and_leaves_no_trace(site: Site) -> None:
    site.file("src/a", "content")
    site.file("src/ignored")
    site.file(".dockerignore", "src/ignored\n")
    result = site.build(
        "FROM base\nRUN --mount=type=bind,source=src,target=/mnt/src ls /mnt/src >/list && cat /mnt/src/a >>/list\n"
    )
    assert site.read(result, "list") == "a\ncontent"
    assert layer(site, result) == ["list"]


def test_bind_of_one_file_at_a_relative_target(site: Site) -> None:
    site.file("package.json", "{}")
    result = site.build(
        "FROM base\nWORKDIR /app\n"
        "RUN --mount=type=bind,source=package.json,target=package.json cat package.json >copy\n"
    )
    assert site.read(result, "app/copy") == "{}"
    assert layer(site, result) == ["app", "app/copy"]


def test_bind_is_read_only_unless_asked_and_then_writes_are_dropped(site: Site) -> None:
    site.file("a", "1")
    with pytest.raises(CommandFailed):
        site.build("FROM base\nRUN --mount=target=/c touch /c/new\n")
    result = site.build("FROM base\nRUN --mount=target=/c,rw touch /c/new && ls /c >/list\n")
    assert site.read(result, "list").split() == ["Dockerfile", "a", "new"]
    assert layer(site, result) == ["list"]
    assert not (site.context / "new").exists()


def test_bind_from_a_stage_and_an_image_with_a_path_in_it(site: Site) -> None:
    result = site.build(
        "FROM base AS made\nRUN mkdir -p /out/sub && echo 1 >/out/sub/f && ln -s /out/sub /link\n"
        "RUN echo 2 >/out/sub/g && rm /out/sub/f\n"
        "FROM base\n"
        "RUN --mount=from=made,source=/link,target=/m --mount=from=base,source=/etc/passwd,target=/pw"
        " ls /m >/list && cat /m/g >>/list && head -n 1 /pw >>/list\n"
    )
    assert site.read(result, "list").splitlines() == ["g", "2", "root:x:0:0::/root:/bin/sh"]


def test_opaque_directory_hides_what_lies_beneath_it(site: Site) -> None:
    result = site.build(
        "FROM base AS made\nRUN mkdir /d && touch /d/old\nRUN rm -r /d && mkdir /d && touch /d/new\n"
        "FROM base\nRUN --mount=from=made,source=/d,target=/m ls /m >/list\n"
    )
    assert site.read(result, "list") == "new\n"


def test_changed_source_of_a_bind_runs_the_command_again(site: Site) -> None:
    site.file("a", "1")
    dockerfile = "FROM base\nRUN --mount=source=a,target=/a cat /a >/copy\n"
    site.build(dockerfile)
    site.build(dockerfile)
    assert [name for name in site.cached() if name.startswith("RUN")]
    site.file("a", "2")
    assert site.read(site.build(dockerfile), "copy") == "2"


def test_missing_source_is_an_error_at_the_run(site: Site) -> None:
    with pytest.raises(DockerfileError, match='"/nothing": not found') as caught:
        site.build("FROM base\nRUN --mount=source=nothing,target=/a true\n")
    assert caught.value.line == 2


def test_cache_lasts_from_build_to_build_and_stays_out_of_the_layer(site: Site) -> None:
    dockerfile = (
        "FROM base\nARG N\nRUN --mount=type=cache,target=/c,id=x,mode=0700,uid=5 echo $N >>/c/f && cp /c/f /out\n"
    )
    dockerfile = dockerfile.replace("cp", "busybox cp")
    site.build(dockerfile, build_args={"N": "1"})
    result = site.build(dockerfile, build_args={"N": "2"})
    assert site.read(result, "out") == "1\n2\n"
    assert layer(site, result) == ["out"]
    (mount,) = CacheMounts(site.root).list()
    assert (mount.id, mount.in_use) == ("x", False)
    CacheMounts(site.root).remove([mount.name])
    assert CacheMounts(site.root).list() == []
    result = site.build(dockerfile, build_args={"N": "3"})
    assert site.read(result, "out") == "3\n"


def test_locked_cache_has_one_user_at_a_time(site: Site) -> None:
    step = (
        "RUN --mount=type=cache,target=/c,sharing=locked test ! -e /c/busy && touch /c/busy && sleep 0.3 && rm /c/busy"
        " && echo {0} >/{0}\n"
    )
    site.build(
        "FROM base AS a\n"
        + step.format("a")
        + "FROM base AS b\n"
        + step.format("b")
        + "FROM scratch\nCOPY --from=a /a /a\nCOPY --from=b /b /b\n",
        workers=2,
    )


def test_private_cache_is_another_one_while_the_first_is_used(site: Site) -> None:
    step = (
        "RUN --mount=type=cache,target=/c,sharing=private"
        " touch /c/{0} && sleep 0.3 && ls /c >/list && echo {0} >>/list\n"
    )
    result = site.build(
        "FROM base AS a\n"
        + step.format("a")
        + "FROM base AS b\n"
        + step.format("b")
        + "FROM scratch\nCOPY --from=a /list /a\nCOPY --from=b /list /b\n",
        workers=2,
    )
    assert (site.read(result, "a"), site.read(result, "b")) == ("a\na\n", "b\nb\n")


SEEDED = """FROM base AS seed
RUN mkdir -p /c/deep && echo {0} >/c/deep/x && chown 1000:1001 /c && chmod 750 /c && ln -s deep/x /c/link
FROM base
RUN --mount=type=cache,id=i,target=/m,from=seed,source=/c cat /m/link >/got; \\
    stat -c "%u %g %a" /m >>/got; echo {1} >>/m/deep/x
"""


def test_a_cache_begins_with_what_from_names_and_goes_on_from_there(site: Site) -> None:
    first = site.build(SEEDED.format("one", "a"))
    assert site.read(first, "got").splitlines() == ["one", "1000 1001 750"]
    again = site.build(SEEDED.format("one", "b"))
    assert site.read(again, "got").splitlines() == ["one", "a", "1000 1001 750"]
    other = site.build(SEEDED.format("two", "b"))
    assert site.read(other, "got").splitlines() == ["two", "1000 1001 750"]
    assert os.listdir(site.root / "ingest") == []


def test_a_cache_begins_as_a_directory(site: Site) -> None:
    with pytest.raises(DockerfileError, match="is no directory"):
        site.build("FROM base\nRUN --mount=type=cache,target=/m,from=base,source=/bin/busybox true\n")
    with pytest.raises(DockerfileError, match="not found in the source of the mount"):
        site.build("FROM base\nRUN --mount=type=cache,target=/m,from=base,source=/none true\n")


def test_tmpfs_is_empty_limited_and_gone(site: Site) -> None:
    result = site.build(
        "FROM base\nRUN --mount=type=tmpfs,target=/tmp/t,size=1m touch /tmp/t/x"
        " && ! busybox dd if=/dev/zero of=/tmp/t/big bs=1M count=2 && touch /done\n"
    )
    assert layer(site, result) == ["done"]


def test_secret_is_seen_by_the_command_and_nowhere_else(site: Site) -> None:
    secret = "very-secret-value"
    result = site.build(
        "FROM base\nRUN --mount=type=secret,id=key,mode=0444 --mount=type=secret,id=key,env=KEY"
        ' test "$(cat /run/secrets/key)" = "$KEY" && test ${#KEY} = 17 && touch /ok\n',
        secrets={"key": secret.encode()},
    )
    assert layer(site, result) == ["ok"]
    assert secret not in site.output
    for path in [*site.root.rglob("*"), *site.run_root.rglob("*")]:
        if path.is_file() and not path.is_symlink():
            assert secret.encode() not in path.read_bytes(), path


def test_missing_secret_matters_only_when_required(site: Site) -> None:
    site.build("FROM base\nRUN --mount=type=secret,id=key test ! -e /run/secrets/key\n")
    with pytest.raises(DockerfileError, match="secret key: not found"):
        site.build("FROM base\nRUN --mount=type=secret,id=key,required true\n")


def test_variables_are_expanded_in_mounts(site: Site) -> None:
    site.file("a", "1")
    result = site.build("FROM base\nARG WHERE=/here\nRUN --mount=source=a,target=$WHERE/a cat /here/a >/copy\n")
    assert site.read(result, "copy") == "1"


@pytest.mark.parametrize(
    ("flag", "problem"),
    [
        ("type=ssh,env=x", "unexpected key 'env'"),
        ("type=disk,target=/x", "unsupported mount type"),
        ("type=cache", "a mount can not be at /"),
        ("type=$NOT_SET,target=/x", "unsupported mount type"),
        ("type=cache,target=/x,sharing=some", "unsupported sharing value"),
        ("type=tmpfs,target=/x,mode=1", "unexpected key 'mode'"),
        ("type=cache,target=/x,source=y", "only in what from names"),
        ("target", "must be a key=value pair"),
        ("target=/", "a mount can not be at /"),
        ("type=cache,target=/x,uid=-1", "invalid value for uid"),
    ],
)
def test_bad_mount_is_refused_at_its_flag(site: Site, flag: str, problem: str) -> None:
    with pytest.raises(DockerfileError) as caught:
        site.build(f"FROM base\nRUN --mount={flag} true\n")
    assert problem in caught.value.problem
    assert (caught.value.line, caught.value.column) == (2, 5)


def test_waiting_for_a_locked_cache_can_be_given_up(site: Site) -> None:
    import fcntl
    import hashlib

    path = Path(site.root) / "cache/mounts" / hashlib.sha256(b"/c").hexdigest()
    path.mkdir(parents=True)
    with (path / "lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with pytest.raises(CommandFailed):
            site.build(
                "FROM base AS waits\nRUN --mount=type=cache,target=/c touch /x\n"
                "FROM base AS fails\nRUN sleep 0.2; exit 1\n"
                "FROM scratch\nCOPY --from=waits /x /\nCOPY --from=fails /x /\n",
                workers=2,
            )
    assert threading.active_count() == 1
