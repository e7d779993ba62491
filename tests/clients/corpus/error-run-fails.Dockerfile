#: refused exit code: 37
FROM busybox
RUN exit 37
