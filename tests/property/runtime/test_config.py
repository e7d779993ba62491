"""config.json -> plan: whatever a specification says, the executor accepts its plan, or the reason is told."""

from __future__ import annotations

import contextlib
import copy
import itertools
import json
import struct
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jubako.errors import JubakoError
from jubako.runtime import defaults, executor
from jubako.runtime import opcodes as op
from jubako.runtime.executor import Launch
from jubako.runtime.plan import Plan
from jubako.spec import oci_runtime

from .decoder import Decoder

quick = settings(max_examples=200)
Config = dict[str, Any]

words = st.text(st.characters(codec="utf-8", exclude_characters="\0/"), min_size=1, max_size=12)
paths = st.lists(words, min_size=1, max_size=4).map(lambda names: "/" + "/".join(names))
ids = st.integers(0, (1 << 32) - 2)
capabilities = st.lists(st.sampled_from(defaults.ALL_CAPABILITIES), unique=True)
OPTIONS = ("ro", "rw", "nosuid", "nodev", "noexec", "relatime", "rro", "rnosuid", "private", "rslave", "mode=755")


def some(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[Config]:
    """An object that has any of these fields."""
    return st.fixed_dictionaries({}, optional=fields)


users = some(uid=ids, gid=ids, umask=st.integers(0, 0o777), additionalGids=st.lists(ids, max_size=9, unique=True))
rlimits = st.builds(
    lambda name, soft, hard: {"type": f"RLIMIT_{name.upper()}", "soft": soft, "hard": hard},
    st.sampled_from(sorted(defaults.RLIMITS)),
    st.integers(0, (1 << 64) - 1),
    st.integers(0, (1 << 64) - 1),
)
processes = st.builds(
    lambda needed, more: needed | more,
    st.fixed_dictionaries({"args": st.lists(words, min_size=1, max_size=4), "cwd": paths}),
    some(
        terminal=st.booleans(),
        user=users,
        env=st.lists(st.builds("{}={}".format, words, words), max_size=4),
        rlimits=st.lists(rlimits, max_size=3, unique_by=lambda limit: str(limit["type"])),
        noNewPrivileges=st.booleans(),
        oomScoreAdj=st.integers(-1000, 1000),
        capabilities=some(
            bounding=capabilities,
            effective=capabilities,
            permitted=capabilities,
            inheritable=capabilities,
            ambient=capabilities,
        ),
    ),
)
mounts = st.builds(
    lambda kind, path, options: {
        "destination": path,
        "type": kind,
        "source": "/usr" if kind == "bind" else kind,
        "options": options,
    },
    st.sampled_from(["bind", "tmpfs", "proc", "sysfs", "devpts", "mqueue", "cgroup"]),
    paths | st.sampled_from(["/dev", "/proc", "/sys"]),
    st.lists(st.sampled_from(OPTIONS), unique=True),
)
devices = st.builds(
    lambda kind, path, major, minor: {"type": kind, "path": path, "major": major, "minor": minor},
    st.sampled_from("cubp"),
    paths,
    st.integers(0, 4095),
    st.integers(0, (1 << 20) - 1),
)
OTHERS = ("pid", "network", "ipc", "uts", "cgroup", "user")
MAP = [{"containerID": 0, "hostID": 100000, "size": 65536}]


@st.composite
def configs(draw: st.DrawFn) -> Config:
    kinds = draw(st.lists(st.sampled_from(OTHERS), unique=True))
    linux = draw(
        some(
            maskedPaths=st.lists(paths, max_size=3),
            readonlyPaths=st.lists(paths, max_size=3),
            devices=st.lists(devices, max_size=3),
        )
    )
    linux["namespaces"] = [{"type": kind} for kind in ("mount", *kinds)]
    if "user" in kinds:
        linux |= {"uidMappings": MAP, "gidMappings": MAP}
    if "network" in kinds and draw(st.booleans()):
        linux["sysctl"] = {"net.ipv4.ip_forward": draw(words)}
    return {
        "ociVersion": "1.2.0",
        "root": {"path": "/usr", "readonly": draw(st.booleans())},
        "hostname": draw(words),
        "process": draw(processes),
        "mounts": draw(st.lists(mounts, max_size=5)),
        "linux": linux,
    }


@pytest.fixture(scope="session")
def decoder(tmp_path_factory: pytest.TempPathFactory) -> Decoder:
    return Decoder(tmp_path_factory.mktemp("decoder"))


HEADER = struct.Struct("=IHHII")


def plan_of(config: Config) -> bytes:
    """What `create` would have done, before the two operations that name descriptors of a real executor."""
    made = executor.plan_of(Launch(spec=oci_runtime.decode(json.dumps(config).encode()), run_dir="/"))
    channels = Plan()
    channels.add(op.INIT_CHANNEL, 100, -1)
    channels.add(op.RUN_DIR, 101)
    body = channels.encode()[HEADER.size :] + made[HEADER.size :]
    magic, version, zero, _, count = HEADER.unpack_from(made)
    return HEADER.pack(magic, version, zero, HEADER.size + len(body), count + 2) + body


def assert_order(codes: list[int], *order: int) -> None:
    """All operations of each kind stand before all of the next kind that is there."""
    present = [code for code in order if code in codes]
    for first, then in itertools.pairwise(present):
        last = len(codes) - 1 - codes[::-1].index(first)
        assert last < codes.index(then), f"{op.NAMES[first]} after {op.NAMES[then]}"


@quick
@given(config=configs())
def test_a_specification_is_a_plan_in_which_each_step_finds_the_one_before_it_done(
    decoder: Decoder, config: Config
) -> None:
    codes = decoder.codes(plan_of(config))
    assert codes[-1] == op.EXECUTE
    for once in (op.CLONE, op.PROPAGATION, op.ROOT_BIND, op.PIVOT, op.USER, op.WAIT, op.EXECUTE):
        assert codes.count(once) == 1
    for made in (op.FILESYSTEM, op.BIND, op.MKNOD, op.BIND_DEVICE, op.SYMLINK, op.CONSOLE):
        assert_order(codes, op.PROPAGATION, op.ROOT_BIND, made, op.READONLY, op.MASK, op.PIVOT, op.USER, op.EXECUTE)
    assert_order(codes, op.UNSHARE, op.ROOT_BIND)
    assert_order(codes, op.PROC, op.SYSCTL, op.READONLY, op.MASK, op.PIVOT, op.ROOT_READONLY, op.DIRECTORY, op.USER)
    assert_order(codes, op.RLIMIT, op.OOM_SCORE, op.KEYRING, op.BOUNDING, op.USER, op.CAPABILITIES, op.PARENT_DEATH)
    assert_order(codes, op.CAPABILITIES, op.NO_NEW_PRIVILEGES, op.WAIT, op.EXECUTE)


def places(value: Any, *before: str | int) -> list[tuple[str | int, ...]]:
    """The way to each value in a document."""
    found = [before] if before else []
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        found += places(inner, *before, key)
    return found


ANYTHING = st.one_of(
    st.none(),
    st.booleans(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.integers(-(1 << 70), 1 << 70),
    st.text(max_size=5),
    st.sampled_from(["\0", "a\0b", "\ud800", "", "/", "..", "/../..", [], {}, [None], {"": 0}, 1 << 32, -1, 1 << 64]),
)


@quick
@given(config=configs(), data=st.data())
def test_a_document_that_is_wrong_somewhere_is_a_plan_or_an_error_of_ours(
    decoder: Decoder, config: Config, data: st.DataObject
) -> None:
    wrong = copy.deepcopy(config)
    *way, last = data.draw(st.sampled_from(places(wrong)))
    at: Any = wrong
    for key in way:
        at = at[key]
    at[last] = data.draw(ANYTHING)
    with contextlib.suppress(JubakoError, msgspec.MsgspecError):
        decoder.codes(plan_of(wrong))


@pytest.mark.parametrize(
    ("where", "value", "told"),
    [
        ("process.user.uid", 1 << 32, "$.process.user.uid"),
        ("process.user.uid", (1 << 32) - 1, "$.process.user.uid"),
        ("process.user.gid", -1, "$.process.user.gid"),
        ("process.user.umask", -1, "$.process.user.umask"),
        ("process.user.additionalGids", [5, 1 << 32], "$.process.user.additionalGids["),
        ("process.oomScoreAdj", 1001, "$.process.oomScoreAdj"),
        ("process.args", [], "process.args is empty"),
        ("process.args", ["a\0b"], "a\\x00b"),
        ("process.cwd", "relative", "'relative'"),
        ("process.terminal", "yes", "$.process.terminal"),
        ("process.capabilities.bounding", ["CAP_ALL"], "CAP_ALL"),
        ("process.rlimits", [{"type": "RLIMIT_NOPE", "soft": 0, "hard": 0}], "RLIMIT_NOPE"),
        ("process.rlimits", [{"type": "RLIMIT_CORE", "soft": 0, "hard": 1 << 64}], "RLIMIT_CORE"),
        ("root.path", None, "`path`"),
        ("mounts", [{"destination": "/x", "type": "tmpfs", "options": "ro"}], "$.mounts[0].options"),
        ("linux.namespaces", [{"type": "mount"}, {"type": "moon"}], "'moon'"),
        ("linux.namespaces", [{"type": "pid"}], "mount namespace"),
        ("linux.devices", [{"type": "x", "path": "/dev/x"}], "/dev/x"),
        ("linux.devices", [{"type": "c", "path": "/dev/x", "major": 4096 + 8}], "$.linux.devices[0].major"),
        ("linux.sysctl", {"kernel.core_pattern": "|/x"}, "kernel.core_pattern"),
    ],
)
def test_what_is_wrong_is_named(where: str, value: object, told: str) -> None:
    config: Config = {
        "root": {"path": "/root"},
        "process": {"args": ["true"], "cwd": "/", "user": {}, "capabilities": {}},
        "mounts": [{"destination": "/dev", "type": "tmpfs"}],
        "linux": {"namespaces": [{"type": "mount"}]},
    }
    *way, last = where.split(".")
    at = config
    for key in way:
        at = at[key]
    at[last] = value
    with pytest.raises((JubakoError, msgspec.ValidationError)) as caught:
        plan_of(config)
    assert told in str(caught.value)
