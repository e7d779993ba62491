"""Image archives: docker-archive and oci-archive, in and out."""

from jubako.image.archive.loading import load
from jubako.image.archive.saving import save, save_docker, save_layout

__all__ = ["load", "save", "save_docker", "save_layout"]
