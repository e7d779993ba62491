#: refused
FROM busybox
USER nobody-at-all
RUN true
