"""The selectors of list and watch requests: the texts of `labelSelector` and `fieldSelector`, read and matched.

LabelSelector objects, within documents, are the types' (jubako.cluster.types.selection).
"""

from jubako.cluster.selectors.fields import FieldSelector, parse_fields
from jubako.cluster.selectors.labels import LabelSelector, parse_labels

__all__ = ["FieldSelector", "LabelSelector", "parse_fields", "parse_labels"]
