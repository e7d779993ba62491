FROM busybox AS base
ONBUILD RUN echo triggered >/triggered
ONBUILD ENV T=1
ONBUILD COPY a.txt /onbuild/
FROM base
RUN cat /triggered >/copied
