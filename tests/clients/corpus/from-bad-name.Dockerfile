#: refused invalid name for build stage
#: buildah accepts because buildah takes any name
FROM busybox AS -bad
