#: docker differs history because Docker 20.10 has no start interval
FROM busybox AS base
HEALTHCHECK --retries=2 CMD true
FROM base
HEALTHCHECK NONE
