#: docker differs history because Docker 20.10 leaves the flags of COPY and ADD out
FROM busybox
RUN mkdir -m 700 /p && chown 9:9 /p
COPY a.txt /p/q/r/s
COPY --chown=4:5 a.txt /p/t/u/
