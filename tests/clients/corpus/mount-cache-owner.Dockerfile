#: docker differs files:c because Docker 20.10 leaves the mount points behind
FROM busybox
RUN --mount=type=cache,target=/c,id=owned,uid=5,gid=6,mode=0750 stat -c '%u %g %a' /c >/out && echo x >/c/x
RUN --mount=type=cache,target=/c,id=owned,uid=5,gid=6,mode=0750 cat /c/x >/x
