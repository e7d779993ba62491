#: docker differs history because Docker 20.10 leaves the flags of COPY and ADD out
#: docker differs files:s because Docker 20.10 drops the set-user-ID bit of --chmod
FROM busybox
COPY --chmod=4755 a.txt /s
COPY --chmod=0600 a.txt b.txt /d/
COPY --chmod=700 d /tree
COPY --chown=3:4 --chmod=711 d/ /both/
