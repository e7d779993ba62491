#: refused
FROM busybox
WORKDIR /etc/passwd/sub
