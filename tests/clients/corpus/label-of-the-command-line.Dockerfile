#: options --label cli=yes --label over=cli
#: buildah differs history because buildah writes an entry for each label of the command line
FROM busybox
LABEL over=file file=yes
