#: refused not found
FROM busybox
COPY ../../../../etc/hostname-of-the-host /x
