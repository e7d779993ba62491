#: options --target MIDDLE
#: buildah refuses because buildah tells names of stages apart by case
FROM busybox AS Middle
ENV A=0
FROM busybox
ENV A=1
