#: buildah differs Entrypoint because buildah takes it for none
FROM busybox
ENTRYPOINT
