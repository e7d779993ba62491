#: refused not found|no such file
FROM busybox AS a
FROM busybox
COPY --from=a /nothing/here /x
