#: refused invalid proto: http
#: buildah accepts because buildah takes any text for a port
FROM busybox
EXPOSE 80/http
