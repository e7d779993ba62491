#: buildah differs Cmd because buildah does not use SHELL for CMD
#: buildah differs Entrypoint because buildah does not use SHELL for ENTRYPOINT
FROM busybox AS base
SHELL ["/bin/sh", "-xc"]
FROM base
CMD words here
ENTRYPOINT more words
RUN echo x >/x
