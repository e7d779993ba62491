#: buildah differs ExposedPorts because buildah keeps the text of a port as it was written
FROM busybox
ARG P=8080
EXPOSE 80 443/tcp 53/udp
EXPOSE $P ${Q:-9090}/udp
EXPOSE 1000-1003 2000-2001/udp
