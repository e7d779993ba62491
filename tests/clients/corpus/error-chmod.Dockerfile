#: refused invalid chmod
#: docker accepts because Docker 20.10 drops a --chmod that it can not read
FROM busybox
COPY --chmod=9 a.txt /a
