"""Checks of pods: the specification that a pod and every template of pods have, and what of a pod may change.

spec        the whole, and what concerns the pod
containers  one container of any sort, with its ports and environment
probes      probes and lifecycle hooks
resources   amounts, limits and requests
volumes     volumes
mounts      where containers mount them
security    security contexts
placement   tolerations, affinity, spreading
update      what may change in a pod that exists
"""
