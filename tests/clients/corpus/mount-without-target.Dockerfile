#: needs newer BuildKit
FROM busybox
WORKDIR /w
RUN --mount=type=bind,source=d cp /w/one /1
RUN --mount=type=cache,id=without-target touch /w/x && test -f x
RUN ls -A /w >/2
