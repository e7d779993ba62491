"""Claims and volumes.

binder       claims get volumes
fitting      which suit
made         those made of local directories
ephemeral    claims that are a pod's own
lifecycle    nothing goes while it is in use
"""
