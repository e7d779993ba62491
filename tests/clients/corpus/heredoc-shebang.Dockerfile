#: needs here-documents
FROM busybox
RUN <<EOF
#!/bin/sh -e
echo "$0" >/dev/null
echo script >/script
EOF
RUN <<ONE cat >/1 && <<TWO cat >/2
first
ONE
second
TWO
