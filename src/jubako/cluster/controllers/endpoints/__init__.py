"""What stands behind a Service: as EndpointSlices, and as Endpoints for those who still ask for these.

members    which pods, their addresses and ports
slices     EndpointSlices
objects    Endpoints
mirroring  Endpoints that somebody else writes, as EndpointSlices
"""
