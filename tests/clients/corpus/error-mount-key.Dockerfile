#: refused unexpected key
FROM busybox
RUN --mount=type=cache,target=/x,wrong=1 true
