FROM busybox AS never
RUN exit 1
FROM busybox
RUN echo fine >/fine
