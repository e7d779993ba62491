#: needs sizes of tmpfs mounts
FROM busybox
RUN --mount=type=tmpfs,target=/t,size=1048576 dd if=/dev/zero of=/t/x bs=1024 count=512 2>/dev/null && ls /t >/list
