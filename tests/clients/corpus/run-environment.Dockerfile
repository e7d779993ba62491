#: docker differs history because a WORKDIR that is there already makes no layer here
FROM busybox
ENV A=1 HOME=/somewhere
ARG B=2
USER 5
WORKDIR /tmp
RUN env | grep -v ^HOSTNAME | sort >/tmp/env
