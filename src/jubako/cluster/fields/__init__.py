"""Who has set which field: managedFields, and server-side apply, as pure functions of documents.

sets        sets of fields, in the form that managedFields has
elements    one step of a field's path, as a set and as a message spell it
shapes      what merges with what: from the table of facts
reading     a document -> the fields that it sets
typing      what of an applied document can not be
comparing   two documents -> the fields that were added, modified and removed
merging     an applied document over the one that is there
removing    a document without some fields
managers    the entries of managedFields
tracking    what an update makes of them
applying    server-side apply: merge, give up, conflict
lastapplied the annotation of client-side apply, from which kubectl's users come

Model:      each manager has a set of fields. Who updates a field takes it from all others; who applies it shares it
            while the values are equal, and else has a conflict. What an applier no longer names, and nobody else has,
            goes.
Spec:       "Server-Side Apply"; sigs.k8s.io/structured-merge-diff, v4.
"""

from __future__ import annotations

from jubako.cluster.fields.applying import Conflicts, Kind, applied, settled
from jubako.cluster.fields.elements import spelled
from jubako.cluster.fields.managers import Entry, Operation
from jubako.cluster.fields.sets import Fields
from jubako.cluster.fields.shapes import shape_of
from jubako.cluster.fields.tracking import MANAGED, Writing, track
from jubako.cluster.fields.typing import problems

__all__ = [
    "MANAGED",
    "Conflicts",
    "Entry",
    "Fields",
    "Kind",
    "Operation",
    "Writing",
    "applied",
    "problems",
    "settled",
    "shape_of",
    "spelled",
    "track",
]
