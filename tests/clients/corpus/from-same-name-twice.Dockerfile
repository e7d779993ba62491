FROM busybox AS twin
RUN echo 1 >/f
FROM busybox AS twin
RUN echo 2 >/f
FROM busybox
COPY --from=twin /f /f
