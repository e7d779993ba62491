FROM busybox
COPY --from=scratch / /nothing/
RUN ls -A /nothing >/x
