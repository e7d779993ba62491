FROM busybox
RUN echo 0 >/f
FROM busybox
RUN echo 1 >/f
FROM busybox
COPY --from=0 /f /zero
COPY --from=1 /f /one
