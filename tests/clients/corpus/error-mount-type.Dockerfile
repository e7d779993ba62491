#: refused unsupported mount type
FROM busybox
RUN --mount=type=nothing,target=/x true
