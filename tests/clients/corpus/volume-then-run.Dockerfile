#: buildah differs files:v/after because buildah forgets what a RUN changes in a volume
FROM busybox
RUN mkdir /v && echo before >/v/before
VOLUME /v
RUN echo after >/v/after
