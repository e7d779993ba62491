#: needs newer BuildKit
FROM busybox
WORKDIR /w
COPY a.txt new/.
COPY a.txt /other/.
RUN test -d /w/new -a -f /other/a.txt
