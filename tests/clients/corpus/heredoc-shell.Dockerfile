#: needs here-documents
FROM busybox
SHELL ["/bin/sh", "-euc"]
RUN <<EOF
a=1
b=$((a + 1))
echo $b >/b
if [ $b = 2 ]; then
  echo two >/two
fi
EOF
