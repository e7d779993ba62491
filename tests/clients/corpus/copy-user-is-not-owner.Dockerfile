#: docker differs history because Docker 20.10 leaves the flags of COPY and ADD out
FROM busybox
USER 5:6
WORKDIR /u
COPY a.txt .
COPY --chown=5 a.txt five
RUN id -u >/tmp/u
