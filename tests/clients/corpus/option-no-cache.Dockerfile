#: options --no-cache
FROM busybox
RUN echo x >/x
