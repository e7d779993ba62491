#: needs here-documents
FROM busybox
COPY <<EOF /Dockerfile
FROM other
# not a comment
RUN <<INNER
x
INNER

EOF
ENV AFTER=1
