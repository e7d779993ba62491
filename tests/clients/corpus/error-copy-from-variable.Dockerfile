#: refused
FROM busybox AS one
FROM busybox
ARG FROM=one
COPY --from=$FROM /etc/passwd /x
