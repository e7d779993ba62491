#: buildah differs files:run because buildah leaves the mount points behind
FROM scratch
COPY --from=busybox /bin/busybox /bin/sh
RUN echo "$PATH" >/path
RUN ["/bin/sh", "-c", "echo exec >/exec"]
