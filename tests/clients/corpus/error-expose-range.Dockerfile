#: refused
#: buildah accepts because buildah takes any text for a port
FROM busybox
EXPOSE 90-80
