#: needs here-documents
FROM busybox
RUN --mount=type=tmpfs,target=/work <<EOF
echo kept >/kept
echo gone >/work/gone
EOF
