#: docker differs history because Docker 20.10 has no start interval
#: buildah differs Cmd because buildah does not use SHELL for CMD
FROM busybox
SHELL ["/bin/sh", "-exc"]
RUN echo one >/1
CMD in the shell
SHELL ["/bin/sh", "-c"]
RUN echo two >/2
ENTRYPOINT too
HEALTHCHECK CMD also here
