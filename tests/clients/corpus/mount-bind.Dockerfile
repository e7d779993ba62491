# syntax=docker/dockerfile:1
#: needs a frontend by name
FROM busybox AS from
RUN mkdir /src && echo s >/src/file
FROM busybox
RUN --mount=type=bind,from=from,source=/src,target=/m cp /m/file /copied && ls /m >/list
RUN --mount=target=/ctx cat /ctx/a.txt >/context
