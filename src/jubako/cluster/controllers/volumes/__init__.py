"""Claims and volumes.

binder       claims get volumes
fitting      which suit
made         those made of local directories
lifecycle    nothing goes while it is in use
"""
