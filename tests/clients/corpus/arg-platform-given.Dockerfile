#: needs newer BuildKit
#: options --build-arg TARGETARCH=amd64 --build-arg BUILDOS=other
FROM --platform=linux/$TARGETARCH busybox
ARG BUILDOS
RUN echo $BUILDOS >/x
