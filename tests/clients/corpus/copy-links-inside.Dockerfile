FROM busybox
COPY links /links
COPY links/dir /dir
COPY links/up /up
