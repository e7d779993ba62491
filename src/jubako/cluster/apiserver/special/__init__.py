"""What is asked of an object beside its own verbs, and kinds that are asked and never stored.

scale      how many replicas there are and shall be
binding    a pod is given its node
eviction   a pod is deleted, if its disruption budgets allow it
account    a token of a service account
reviews    who somebody is, and what one may do
"""
