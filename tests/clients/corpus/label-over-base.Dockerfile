FROM busybox AS base
LABEL a=1 b=2
FROM base
LABEL a=3
