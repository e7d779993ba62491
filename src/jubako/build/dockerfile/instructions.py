"""The instructions of a Dockerfile, checked for form, with the words still unexpanded.

A Text is expanded when its stage is converted; a plain str is taken as it stands. Every instruction knows where it
stands (`position`) and how it was written (`text`, one line, for display).
"""

from __future__ import annotations

import msgspec

from jubako.build.dockerfile.devices import DeviceFlag
from jubako.build.dockerfile.lexer import Heredoc
from jubako.build.dockerfile.mounts import MountFlag
from jubako.build.dockerfile.source import Position, Source, Text


class Instruction(msgspec.Struct, frozen=True, kw_only=True):
    position: Position
    last_line: int
    text: str


class KeyValue(msgspec.Struct, frozen=True):
    key: Text
    value: Text | None


class Command(msgspec.Struct, frozen=True):
    """`arguments` is the JSON form's list, or one string for the shell form."""

    arguments: list[str]
    shell: bool


class Arg(Instruction, frozen=True, kw_only=True):
    items: list[KeyValue]


class From(Instruction, frozen=True, kw_only=True):
    image: Text
    platform: Text | None
    name: str | None


class Run(Instruction, frozen=True, kw_only=True):
    command: Command
    heredocs: list[Heredoc]
    network: str | None
    security: str | None
    mounts: list[MountFlag]
    devices: list[DeviceFlag]


class Copy(Instruction, frozen=True, kw_only=True):
    """COPY, and ADD; `sources` may name here-documents (`<<EOF`), `unpack` is None where the flag is not given."""

    sources: list[Text]
    destination: Text
    heredocs: list[Heredoc]
    source_stage: Text | None = None
    chown: Text | None = None
    chmod: Text | None = None
    is_add: bool = False
    unpack: bool | None = None
    link: bool = False
    parents: bool = False
    excludes: list[Text] = []
    checksum: Text | None = None
    keep_git_dir: bool = False


class Env(Instruction, frozen=True, kw_only=True):
    items: list[KeyValue]


class Label(Instruction, frozen=True, kw_only=True):
    items: list[KeyValue]


class Workdir(Instruction, frozen=True, kw_only=True):
    path: Text


class User(Instruction, frozen=True, kw_only=True):
    user: Text


class Expose(Instruction, frozen=True, kw_only=True):
    ports: list[Text]


class Volume(Instruction, frozen=True, kw_only=True):
    paths: list[Text]


class Cmd(Instruction, frozen=True, kw_only=True):
    command: Command


class Entrypoint(Instruction, frozen=True, kw_only=True):
    command: Command


class Shell(Instruction, frozen=True, kw_only=True):
    arguments: list[str]


class StopSignal(Instruction, frozen=True, kw_only=True):
    signal: Text


class HealthCheck(Instruction, frozen=True, kw_only=True):
    """`test` is Docker's list (`NONE`, or `CMD`/`CMD-SHELL` and arguments); times in nanoseconds, 0 for the default."""

    test: list[str]
    interval_ns: int = 0
    timeout_ns: int = 0
    start_period_ns: int = 0
    start_interval_ns: int = 0
    retries: int = 0


class Maintainer(Instruction, frozen=True, kw_only=True):
    author: str


class OnBuild(Instruction, frozen=True, kw_only=True):
    trigger: str


class Stage(msgspec.Struct, frozen=True, kw_only=True):
    """One FROM and what follows it; `name` is lower case."""

    index: int
    name: str | None
    source: From
    instructions: list[Instruction]


class Dockerfile(msgspec.Struct, frozen=True, kw_only=True):
    source: Source
    escape: str
    directives: dict[str, str]
    global_args: list[Arg]
    stages: list[Stage]
