FROM busybox AS Builder
RUN echo x >/x
FROM busybox
COPY --from=BUILDER /x /y
