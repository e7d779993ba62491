FROM busybox
ENV A=1
