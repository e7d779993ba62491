FROM busybox
WORKDIR /w/x
COPY a.txt .
COPY a.txt ../b
COPY a.txt sub/dir/
COPY d ./
WORKDIR y
COPY b.txt ./
COPY b.txt /abs/../b2
