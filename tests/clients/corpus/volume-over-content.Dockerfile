FROM busybox
RUN mkdir -p /v/sub && echo kept >/v/sub/f
VOLUME /v
COPY a.txt /v/a
