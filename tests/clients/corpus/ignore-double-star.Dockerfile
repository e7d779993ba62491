#: docker differs files:tree/sub/deep because Docker 20.10 does not look into an ignored directory
#: docker differs files:tree/sub/deep/four.c because Docker 20.10 does not look into an ignored directory
#: buildah differs files:tree/sub/deep because buildah does not look into an ignored directory
#: buildah differs files:tree/sub/deep/four.c because buildah does not look into an ignored directory
FROM scratch
COPY . /
