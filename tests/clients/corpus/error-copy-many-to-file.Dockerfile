#: refused with more than one source file, the destination must be a directory and end with a /
#: docker accepts because Docker 20.10 puts one file over the other
#: buildah accepts because buildah puts one file over the other
FROM busybox
COPY a.txt b.txt /file
