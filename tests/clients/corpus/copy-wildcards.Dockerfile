FROM busybox
COPY ?.txt /q/
COPY [!b].txt /not-b/
COPY d/* /star/
COPY d*/one /deep/
COPY d/s* /s/
