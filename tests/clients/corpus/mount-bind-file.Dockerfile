#: docker differs files:bound because Docker 20.10 leaves the mount points behind
#: buildah differs files:bound because buildah leaves the mount points behind
FROM busybox
RUN --mount=source=a.txt,target=/bound/file cp /bound/file /copied
