#: needs symbolic --chmod
FROM busybox
COPY --chmod=g=u a.txt /1
COPY --chmod=go=u-w a.txt /2
COPY --chmod=u=rwx,g+u,o=g-w a.txt /3
RUN test "$(stat -c %a /1 /2 /3 | tr '\n' ' ')" = "664 644 775 "
