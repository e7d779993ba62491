"""Layers: trees to archives and back, whiteouts, compression, and the copying of files in and out of containers."""

from jubako.image.layer.limits import DEFAULT, Limits
from jubako.image.layer.packing import Packed, pack, pack_blob
from jubako.image.layer.unpacking import Unpacked, extract_into, unpack

__all__ = ["DEFAULT", "Limits", "Packed", "Unpacked", "extract_into", "pack", "pack_blob", "unpack"]
