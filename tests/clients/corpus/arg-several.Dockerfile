#: options --build-arg TWO=given
#: docker differs history because Docker 20.10 writes an ARG's default down, not its value
FROM busybox
ARG ONE=1 TWO=2 THREE
ENV ALL="$ONE $TWO <$THREE>"
