#: refused HEALTHCHECK NONE takes no arguments
FROM busybox
HEALTHCHECK NONE true
