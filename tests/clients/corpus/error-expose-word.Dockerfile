#: refused invalid containerPort: web
#: buildah accepts because buildah takes any text for a port
FROM busybox
EXPOSE web
