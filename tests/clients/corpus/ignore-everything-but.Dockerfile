#: docker refuses because Docker 20.10 does not look into an ignored directory
#: buildah differs files:all/tree because buildah does not look into an ignored directory
#: buildah differs files:all/tree/sub because buildah does not look into an ignored directory
#: buildah differs files:all/tree/sub/three.h because buildah does not look into an ignored directory
FROM scratch
COPY . /all/
COPY tree/sub/* /some/
