FROM busybox AS base
ONBUILD RUN echo 1 >>/order
ONBUILD RUN echo 2 >>/order
FROM base
RUN echo 3 >>/order
ONBUILD RUN echo later
