"""The patches of the Kubernetes API: pure functions of documents, which change nothing that they are given.

    apply_json       application/json-patch+json             RFC 6902
    apply_merge      application/merge-patch+json            RFC 7386
    apply_strategic  application/strategic-merge-patch+json  lists merged by keys that a schema knows

    three_way        makes the patch that takes an object from what was applied to what is to be, and leaves the rest

A patch that is malformed is InvalidArgument (400); one that does not fit the document is Unprocessable (422).
"""

from jubako.cluster.patch.failure import Unprocessable
from jubako.cluster.patch.json_patch import apply_json
from jubako.cluster.patch.merge_patch import apply_merge
from jubako.cluster.patch.schema import MessageSchema, PatchSchema
from jubako.cluster.patch.strategic import apply_strategic
from jubako.cluster.patch.three_way import PlainSchema, three_way

__all__ = [
    "MessageSchema",
    "PatchSchema",
    "PlainSchema",
    "Unprocessable",
    "apply_json",
    "apply_merge",
    "apply_strategic",
    "three_way",
]
