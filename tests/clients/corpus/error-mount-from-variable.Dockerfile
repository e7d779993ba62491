#: needs newer BuildKit
#: refused 'from' doesn't support variable expansion
FROM busybox AS one
FROM busybox
ARG FROM=one
RUN --mount=from=$FROM,target=/x true
