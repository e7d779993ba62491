#: needs RUN --security
#: refused (insecure|not allowed)
FROM busybox
RUN --security=insecure true
