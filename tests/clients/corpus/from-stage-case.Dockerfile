#: buildah refuses because buildah tells names of stages apart by case
FROM busybox AS Builder
RUN echo x >/x
FROM busybox
COPY --from=BUILDER /x /y
