#: docker differs history because Docker 20.10 leaves the flags of COPY and ADD out
#: docker differs files:plain because Docker 20.10 takes only the lower nine bits of --chmod
#: docker differs files:sticky/one because Docker 20.10 takes only the lower nine bits of --chmod
#: docker differs files:sticky/sub because Docker 20.10 takes only the lower nine bits of --chmod
#: docker differs files:sticky/sub/two because Docker 20.10 takes only the lower nine bits of --chmod
FROM busybox
COPY --chmod=755 tree /t
COPY --chmod=0644 exec.sh /plain
COPY --chmod=1777 d /sticky/
COPY --chmod=000 a.txt /none
