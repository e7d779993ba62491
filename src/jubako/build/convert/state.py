"""A stage while its instructions are gone through: the image configuration so far, and the vertex it stands on."""

from __future__ import annotations

import copy
import posixpath

import msgspec

from jubako.build.graph.filesystem import FsVertex
from jubako.spec.oci_image import ContainerConfig, Healthcheck, ImageConfig, Platform, RootFS

DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
DEFAULT_SHELL = ["/bin/sh", "-c"]


class HistoryStep(msgspec.Struct, frozen=True):
    """One entry to be: `vertex` made it, or None when the instruction only changed the configuration."""

    created_by: str
    vertex: FsVertex | None = None


class StageState:
    """Mutable; a stage that begins FROM another takes a clone. The steps of a `fresh` one find nothing in the cache."""

    def __init__(self, name: str, vertex: FsVertex, base: ImageConfig) -> None:
        config = base.config or ContainerConfig()
        self.name = name
        self.vertex = vertex
        self.platform = Platform(architecture=base.architecture, os=base.os, variant=base.variant)
        self.author = base.author
        self.base_history = list(base.history or [])
        self.base_created = base.created
        self.history: list[HistoryStep] = []
        self.env = dict(text.split("=", 1) for text in config.env or [] if "=" in text)
        self.labels = dict(config.labels or {})
        self.exposed = dict(config.exposed_ports or {})
        self.volumes = dict(config.volumes or {})
        self.user = config.user
        self.workdir = config.working_dir
        self.cmd = config.cmd
        self.entrypoint = config.entrypoint
        self.shell = config.shell
        self.stop_signal = config.stop_signal
        self.healthcheck: Healthcheck | None = config.healthcheck
        self.triggers: list[str] = []
        self.inherited_triggers = list(config.on_build or [])
        self.args: dict[str, str | None] = {}
        self.variables = dict(self.env)
        self.cmd_is_own = False
        self.step = 0
        self.steps = 0
        self.fresh = False

    def clone(self, name: str) -> StageState:
        """The state from which another stage goes on. It sees the arguments too; its history does not."""
        other = copy.copy(self)
        for attribute in ("env", "labels", "exposed", "volumes", "history", "base_history"):
            setattr(other, attribute, copy.copy(getattr(self, attribute)))
        other.name = name
        other.args = {}
        other.variables = dict(self.variables)
        other.inherited_triggers, other.triggers = list(self.triggers), []
        other.cmd_is_own = False
        other.step = other.steps = 0
        return other

    def lookup(self, name: str) -> str | None:
        """A variable as instructions and commands see it: of ENV and ARG the later one, as in BuildKit."""
        return self.variables.get(name)

    def declare(self, name: str, value: str | None) -> None:
        """ARG: a variable of the build that the image does not keep."""
        self.args[name] = value
        if value is not None:
            self.variables[name] = value

    def absolute(self, path: str) -> str:
        """A path as instructions mean it: from the working directory on."""
        return posixpath.normpath(posixpath.join("/", self.workdir, path)).replace("//", "/")

    def effective_shell(self) -> list[str]:
        return self.shell or DEFAULT_SHELL

    def record(self, created_by: str, vertex: FsVertex | None = None) -> None:
        self.history.append(HistoryStep(created_by, vertex))

    def config(self) -> ContainerConfig:
        """The configuration as the image will carry it."""
        return ContainerConfig(
            user=self.user,
            exposed_ports=self.exposed or None,
            env=[f"{name}={value}" for name, value in self.env.items()] or None,
            entrypoint=self.entrypoint,
            cmd=self.cmd,
            volumes=self.volumes or None,
            working_dir=self.workdir,
            labels=self.labels or None,
            stop_signal=self.stop_signal,
            healthcheck=self.healthcheck,
            shell=self.shell,
            on_build=self.triggers or None,
        )


def with_path(base: ImageConfig) -> ImageConfig:
    """The configuration that a stage goes on from: an image without a search path is given one."""
    config = base.config or ContainerConfig()
    if any(text.startswith("PATH=") for text in config.env or []):
        return base
    env = [*(config.env or []), f"PATH={DEFAULT_PATH}"]
    return msgspec.structs.replace(base, config=msgspec.structs.replace(config, env=env))


def scratch(platform: Platform) -> ImageConfig:
    """The configuration of `FROM scratch`: nothing but a search path."""
    return ImageConfig(
        architecture=platform.architecture,
        os=platform.os,
        variant=platform.variant,
        config=ContainerConfig(env=[f"PATH={DEFAULT_PATH}"], working_dir="/"),
        rootfs=RootFS(),
        history=[],
    )
