FROM busybox AS busybox
RUN echo stage >/stage
FROM busybox
RUN cat /stage >/copy
FROM scratch
COPY --from=busybox /stage /x
