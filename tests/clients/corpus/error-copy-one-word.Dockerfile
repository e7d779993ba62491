#: refused COPY requires at least two arguments
FROM busybox
COPY a.txt
