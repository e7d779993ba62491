FROM busybox
COPY a.txt b.txt /tmp
WORKDIR /w
COPY a.txt b.txt ../tmp
