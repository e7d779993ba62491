"""Containers, images, networks and volumes: the functions that every front door calls."""

from jubako.engine.engine import Engine
from jubako.engine.options import CreateOptions
from jubako.engine.record import ContainerRecord

__all__ = ["ContainerRecord", "CreateOptions", "Engine"]
