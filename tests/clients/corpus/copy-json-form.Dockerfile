#: docker differs history because Docker 20.10 leaves the flags of COPY and ADD out
FROM busybox
COPY ["a.txt", "b.txt", "/two/"]
COPY [ "d", "/with space/" ]
COPY ["glob/*b", "/glob/"]
COPY --chown=1:2 ["a.txt", "/owned"]
