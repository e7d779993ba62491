#: needs relative targets of mounts
#: docker differs files:w/rel because Docker 20.10 leaves the mount points behind
FROM busybox
WORKDIR /w
RUN --mount=type=tmpfs,target=rel echo x >/w/rel/x && cp /w/rel/x /x
