#: docker differs history because ours has no layer where nothing changed
FROM busybox
WORKDIR $UNSET
RUN pwd >/1
WORKDIR /w
WORKDIR ${UNSET}
RUN pwd >/2
