FROM busybox:latest
ENV A=1
