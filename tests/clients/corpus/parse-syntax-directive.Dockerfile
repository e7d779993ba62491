# syntax=docker/dockerfile:1
#: needs a frontend by name
FROM busybox
ENV A=1
