FROM busybox
ENV D=/data
VOLUME /a /b
VOLUME ["/c d", "/e"]
VOLUME $D/x
