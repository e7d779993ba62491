#: refused missing a value on flag: (--)?chown
FROM busybox
COPY --chown a.txt /a
