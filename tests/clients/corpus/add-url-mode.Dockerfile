#: options --build-arg URL={url}
#: docker differs history because Docker 20.10 leaves the flags of COPY and ADD out, and Docker 20.10 writes an ARG's default down, not its value
#: docker differs files:1 because Docker 20.10 has no --chmod for ADD
FROM busybox
ARG URL
ADD --chmod=755 $URL/file.txt /1
