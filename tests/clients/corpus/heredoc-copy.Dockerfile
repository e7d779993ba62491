#: needs here-documents
FROM busybox
ARG WHO=world
COPY <<EOF /greeting
hello $WHO ${NONE:-default} \$escaped
EOF
COPY <<'EOF' /raw
hello $WHO
EOF
COPY --chmod=755 --chown=4:5 <<one <<two a.txt /many/
1
one
2
two
ADD <<-EOF /tabbed
	no tab
	  spaces stay
	EOF
