#: buildah differs ExposedPorts because buildah takes any text for a port
FROM busybox
EXPOSE 0 7/
