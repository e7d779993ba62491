#: docker refuses because Docker 20.10 takes no interval of zero
#: buildah refuses because buildah takes no interval of zero
FROM busybox
HEALTHCHECK CMD first
HEALTHCHECK --interval=0 CMD ["second"]
