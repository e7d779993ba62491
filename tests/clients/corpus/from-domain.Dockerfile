FROM docker.io/library/busybox
ENV A=1
