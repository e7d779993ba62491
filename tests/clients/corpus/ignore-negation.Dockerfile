#: buildah differs files:tree/sub because buildah makes an ignored directory anew
FROM scratch
COPY . /
