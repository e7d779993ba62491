#: needs variables in --chmod
FROM busybox
ARG MODE=711
COPY --chmod=$MODE a.txt /1
