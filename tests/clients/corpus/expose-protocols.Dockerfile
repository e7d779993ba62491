#: buildah differs ExposedPorts because buildah keeps the text of a port as it was written
FROM busybox
EXPOSE 80/TCP 53/udp 9/sctp
EXPOSE 80
EXPOSE 8000-8002/tcp
