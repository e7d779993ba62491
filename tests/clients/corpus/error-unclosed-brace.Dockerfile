#: refused
FROM busybox
ENV A=${B
