#: docker differs history because Docker 20.10 leaves the flags of COPY and ADD out
FROM scratch
COPY --chown=10:11 d /d
COPY --chown=12 a.txt /x/y/z
