#: buildah differs ExposedPorts because buildah keeps the text of a port as it was written
FROM busybox
ENV P="91 92" Q=93-95
EXPOSE $P
EXPOSE ${Q}/udp
