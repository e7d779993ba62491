FROM busybox
COPY a.txt /1
COPY a.txt /1
COPY a.txt /2
