#: options --build-arg URL={url}
#: docker differs history because Docker 20.10 leaves the flags of COPY and ADD out, and Docker 20.10 writes an ARG's default down, not its value
FROM busybox
ARG URL
ADD $URL/file.txt /1
ADD $URL/file.txt /dir/
ADD --chown=3:4 $URL/file.txt /3
ADD $URL/arch.tgz /4/
ADD a.txt $URL/file.txt /5/
