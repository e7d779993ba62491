#: docker differs history because a WORKDIR that is there already makes no layer here
FROM busybox
RUN mkdir -m 700 /kept && chown 5:6 /kept && ln -s /kept /link
WORKDIR /kept
WORKDIR /link/below
RUN pwd >/pwd
