# syntax=docker/dockerfile:1
#: differs files:d2 because Docker 20.10 leaves the mount points behind
#: differs files:m because Docker 20.10 leaves the mount points behind
#: differs files:ctx because Docker 20.10 leaves the mount points behind
FROM busybox AS from
RUN mkdir /src && echo s >/src/file
FROM busybox
RUN --mount=type=bind,from=from,source=/src,target=/m cp /m/file /copied && ls /m >/list
RUN --mount=target=/ctx cat /ctx/a.txt >/context
RUN --mount=type=bind,source=d,target=/d2,rw touch /d2/new && ls /d2 >/list2
