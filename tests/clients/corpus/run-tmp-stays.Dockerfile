FROM busybox
RUN mkdir -p /tmp /run /var/tmp && echo t >/tmp/t && echo r >/run/r && echo v >/var/tmp/v
