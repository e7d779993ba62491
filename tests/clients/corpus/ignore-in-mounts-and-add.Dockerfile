#: docker differs files:ctx because Docker 20.10 leaves the mount points behind
#: buildah differs files:list because buildah mounts the context with what is ignored
FROM busybox
RUN --mount=target=/ctx ls /ctx /ctx/tree >/list
ADD tree /tree
COPY *.txt /t/
