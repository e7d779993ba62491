#: needs private cache mounts
#: docker differs files:p because Docker 20.10 leaves the mount points behind
FROM busybox
RUN --mount=type=cache,target=/p,id=private,sharing=private echo p >/p/f && cat /p/f >/p1
