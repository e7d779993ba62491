#: refused unknown flag: (--)?chwon
FROM busybox
COPY --chwon=1 a.txt /a
