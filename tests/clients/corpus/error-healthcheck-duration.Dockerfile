#: refused invalid duration
FROM busybox
HEALTHCHECK --timeout=soon CMD true
