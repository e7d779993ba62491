"""A Kubernetes-compatible control plane on one machine.

types         what the API's objects are
store         keys with values and revisions, watched
controllers   what brings the objects about
"""
