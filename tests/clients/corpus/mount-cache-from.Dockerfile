#: docker differs files:c because Docker 20.10 leaves the mount points behind
FROM busybox AS seed
RUN mkdir -p /seed/sub && echo seeded >/seed/sub/f
FROM busybox
RUN --mount=type=cache,target=/c,id=seeded,from=seed,source=/seed/sub cat /c/f >/f && echo x >/c/x
RUN --mount=type=cache,target=/c,id=seeded,from=seed,source=/seed/sub cat /c/f /c/x >/fx
