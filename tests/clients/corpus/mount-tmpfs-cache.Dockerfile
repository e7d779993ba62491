#: docker differs files:cache because Docker 20.10 leaves the mount points behind
#: docker differs files:other because Docker 20.10 leaves the mount points behind
#: docker differs files:scratch because Docker 20.10 leaves the mount points behind
FROM busybox
RUN --mount=type=tmpfs,target=/scratch echo gone >/scratch/x && cp /scratch/x /kept
RUN --mount=type=cache,target=/cache,id=corpus echo c >/cache/x && cat /cache/x >/c1
RUN --mount=type=cache,target=/other,id=corpus cat /other/x >/c2
