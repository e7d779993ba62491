FROM --platform=$BUILDPLATFORM busybox AS build
ARG BUILDPLATFORM
ARG TARGETPLATFORM
RUN test "$BUILDPLATFORM" = "$TARGETPLATFORM" && echo same >/same
FROM --platform=$TARGETPLATFORM busybox
COPY --from=build /same /same
