#: differs history because Docker 20.10 leaves the flags of COPY and ADD out
FROM busybox
ADD arch.tgz /x/
ADD --chown=1:2 arch.tgz /y
COPY arch.tgz /z/
ADD a.txt /plain
ADD d /dir
