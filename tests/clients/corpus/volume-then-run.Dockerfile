FROM busybox
RUN mkdir /v && echo before >/v/before
VOLUME /v
RUN echo after >/v/after
