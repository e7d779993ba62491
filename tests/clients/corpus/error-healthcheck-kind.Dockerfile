#: refused unknown type.* in HEALTHCHECK
FROM busybox
HEALTHCHECK RUN true
