"""Volumes: named directories that outlive containers."""

from jubako.volume.volumes import Users, Volume, Volumes

__all__ = ["Users", "Volume", "Volumes"]
