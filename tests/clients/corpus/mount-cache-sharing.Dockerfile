#: docker differs files:again because Docker 20.10 leaves the mount points behind
#: docker differs files:l because Docker 20.10 leaves the mount points behind
#: docker differs files:s because Docker 20.10 leaves the mount points behind
#: docker differs history because a RUN that changes nothing makes no layer here
FROM busybox
RUN --mount=type=cache,target=/s,id=s1,sharing=shared echo s >/s/f
RUN --mount=type=cache,target=/l,id=s2,sharing=locked echo l >/l/f && cat /l/f >/l1
RUN --mount=type=cache,target=/again,id=s1,readonly cat /again/f >/s1
