#: docker differs history because Docker 20.10 leaves the flags out
#: buildah refuses because buildah 1.28 keeps the quotes
FROM busybox
COPY --chown="5:6" --chmod='6'40 a.txt /1
COPY --chown= --chmod= a.txt /2
