#: refused ENV names can not be blank
#: buildah accepts because buildah takes any name
FROM busybox
ENV =value
