#: refused exit code: 1
FROM busybox
RUN --mount=target=/ctx touch /ctx/new
