#: needs newer BuildKit
FROM busybox
WORKDIR /w
COPY a.txt $UNSET
COPY b.txt "${UNSET}"
RUN ls -l
