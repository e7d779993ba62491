#: options --build-arg V=given
ARG V=global
FROM busybox AS a
ARG V
RUN echo $V >/a
FROM busybox AS b
ARG V=own
RUN echo $V >/b
FROM busybox
COPY --from=a /a /
COPY --from=b /b /
RUN echo "<$V>" >/c
