#: refused missing command after HEALTHCHECK CMD
FROM busybox
HEALTHCHECK --interval=5s CMD
