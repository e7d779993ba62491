FROM busybox AS base
ONBUILD RUN echo x >>/times
FROM base AS child
RUN cp /times /child
FROM child
RUN cat /times >/grandchild
