#: docker differs history because Docker 20.10 writes an ARG's default down, not its value
FROM busybox
ARG TARGETVARIANT
ARG BUILDOS
ARG BUILDARCH
ARG BUILDVARIANT
ARG TARGETOS=mine
RUN echo "<$TARGETVARIANT> $BUILDOS <$BUILDVARIANT> $TARGETOS" >/p; test -n "$BUILDARCH"
