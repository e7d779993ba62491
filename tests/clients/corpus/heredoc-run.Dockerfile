#: needs here-documents
FROM busybox
RUN <<EOF
echo one >/one
echo "two $HOME" >/two
EOF
RUN <<-EOF
	echo tabs >/tabs
	EOF
RUN <<'EOF' cat >/raw
a $b `c` \d
EOF
RUN <<EOF cat >/shell
home: $HOME
EOF
