#: refused
FROM busybox
RUN ["/no/such/program"]
