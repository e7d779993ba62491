#: options --target first
#: refused
FROM busybox AS first
COPY --from=second /f /f
FROM busybox AS second
