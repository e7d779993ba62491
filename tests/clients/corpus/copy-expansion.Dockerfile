#: docker differs history because Docker 20.10 leaves the flags of COPY and ADD out
FROM busybox
ENV SRC=a DST=/v
ARG EXT=txt
COPY $SRC.$EXT ${DST}/
COPY ["${SRC}.txt", "$DST/json"]
COPY --chown=${UID:-9}:10 b.$EXT $DST/b
ADD ${NONE:-a.txt} /add/
