FROM busybox
COPY a.txt /
COPY d/ /
COPY b.txt .
COPY tree ./
