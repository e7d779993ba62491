#: docker differs files:other because Docker 20.10 leaves the mount points behind
#: docker differs files:t because Docker 20.10 leaves the mount points behind
#: docker differs files:work because Docker 20.10 leaves the mount points behind
FROM busybox AS other
RUN echo other >/other
FROM busybox
RUN --mount=type=cache,target=/work,id=several --mount=from=other,target=/other --mount=type=tmpfs,target=/t cp /other/other /work/x && cp /work/x /t/x && cp /t/x /x
