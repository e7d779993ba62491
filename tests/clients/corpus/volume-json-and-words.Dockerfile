FROM busybox
VOLUME ["/a", "/b c"]
VOLUME /d /e
VOLUME relative
VOLUME /a
