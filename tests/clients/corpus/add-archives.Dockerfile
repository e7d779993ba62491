#: docker differs history because Docker 20.10 leaves the flags of COPY and ADD out
#: buildah differs files:y/t because buildah gives directories that the archive only implies to --chown
#: buildah differs files:y/t/dir because buildah gives directories that the archive only implies to --chown
FROM busybox
ADD arch.tgz /x/
ADD --chown=1:2 arch.tgz /y
COPY arch.tgz /z/
ADD a.txt /plain
ADD d /dir
