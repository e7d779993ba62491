FROM busybox
RUN mkdir -p /e1 /e2 /e3
COPY d /e1
COPY d/ /e2
COPY d/. /e3/
COPY d/sub/ d/sub /e4/
COPY empty /e5
COPY empty/ /e6/
