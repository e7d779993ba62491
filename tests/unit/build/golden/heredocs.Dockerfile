FROM busybox
RUN <<EOF
echo $HOME
# not a comment here
EOF
RUN cat <<"RAW" > /a && cat <<-TABS > /b
$raw
RAW
	indented
	TABS
COPY --chmod=755 <<one <<'two' /dst/
content of $one
one
content of $two
two
RUN echo $((1<<2)) <<< word
ONBUILD RUN <<EOF
later
EOF
