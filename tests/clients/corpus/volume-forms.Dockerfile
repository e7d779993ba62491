#: buildah differs files:data because buildah makes the directories of volumes
#: buildah differs files:data/x because buildah makes the directories of volumes
FROM busybox
ENV D=/data
VOLUME /a /b
VOLUME ["/c d", "/e"]
VOLUME $D/x
