FROM busybox
COPY a.txt b.txt d /many/
COPY a.txt b.txt ./
COPY d/one d/sub/two /flat/
COPY a.txt /over
COPY b.txt /over
