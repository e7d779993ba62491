"""A Kubernetes-compatible control plane on one machine.

types   what the API's objects are
"""
