FROM busybox AS zero
RUN echo 0 >/f
FROM busybox
RUN echo 1 >/f
FROM busybox
COPY --from=zero /f /by-name
COPY --from=0 /f /by-number
COPY --from=1 f /relative
