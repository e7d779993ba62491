#: needs here-documents
#: refused exit code: 1
FROM busybox
RUN <<EOF
set -e
false
echo never
EOF
