#: buildah refuses because buildah has no BUILDPLATFORM before the first FROM
FROM --platform=linux/${TARGETARCH} busybox AS build
RUN echo built >/built
FROM --platform=${BUILDPLATFORM:-none} busybox
COPY --from=build /built /
