#: buildah differs files:1 because buildah names it after the container
FROM busybox
RUN hostname >/1
