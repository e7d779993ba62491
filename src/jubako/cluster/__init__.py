"""A Kubernetes-compatible control plane on one machine.

types         what the API's objects are
store         keys with values and revisions, watched
patch         the API's three kinds of patches
selectors     labelSelector and fieldSelector
controllers   what brings the objects about
"""
