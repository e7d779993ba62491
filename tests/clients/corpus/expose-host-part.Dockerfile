#: buildah differs ExposedPorts because buildah keeps the text of a port as it was written
FROM busybox
EXPOSE 127.0.0.1:8080:80 9090:90
