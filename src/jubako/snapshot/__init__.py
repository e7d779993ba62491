"""Root filesystems made of layers: committed ones by diff_id, writable ones by key, mounted nowhere."""

from jubako.snapshot.draft import LayerDraft
from jubako.snapshot.mounted import mounted
from jubako.snapshot.overlay import Overlay
from jubako.snapshot.snapshotter import Snapshot, Snapshotter

__all__ = ["LayerDraft", "Overlay", "Snapshot", "Snapshotter", "mounted"]
