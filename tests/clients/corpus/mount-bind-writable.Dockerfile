#: needs writable mounts apart from the context
#: docker differs files:ctx because Docker 20.10 leaves the mount points behind
FROM busybox
RUN --mount=target=/ctx,rw echo new >/ctx/new && cat /ctx/new >/new
RUN --mount=target=/ctx ls /ctx/new 2>/dev/null >/gone || true
