"""Images from Dockerfiles.

Path:   dockerfile/ (text to instructions) -> convert/ (instructions to a graph) -> graph/ (operations with keys made of
        content) -> solver/ (cached or run, side by side) -> exporters/ (an image in the store).
Entry:  build().
"""

from jubako.build.bases import Pull
from jubako.build.builder import build
from jubako.build.cache import BuildCache
from jubako.build.dockerfile.source import DockerfileError
from jubako.build.graph.execute import CommandFailed
from jubako.build.inquiry import Answer, Inquiry, inquire
from jubako.build.options import BuildDrivers, BuildOptions, BuildResult
from jubako.build.progress import BuildProgress, PlainProgress
from jubako.build.rundir import reap

__all__ = [
    "Answer",
    "BuildCache",
    "BuildDrivers",
    "BuildOptions",
    "BuildProgress",
    "BuildResult",
    "CommandFailed",
    "DockerfileError",
    "Inquiry",
    "PlainProgress",
    "Pull",
    "build",
    "inquire",
    "reap",
]
