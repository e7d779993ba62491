FROM busybox
ENV D=/x Y=y
ARG Z=z
WORKDIR $D
WORKDIR ${Y}/$Z
WORKDIR $NONE/q
RUN pwd >/pwd
