#: needs here-documents
FROM busybox
COPY <<EOF /empty
EOF
COPY <<EOF /blank

EOF
RUN <<EOF
EOF
