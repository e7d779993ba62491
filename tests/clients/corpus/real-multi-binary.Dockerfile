FROM busybox AS base
RUN mkdir /b
FROM base AS one
RUN echo '#!/bin/sh' >/b/one && chmod 755 /b/one
FROM base AS two
RUN echo '#!/bin/sh' >/b/two && chmod 755 /b/two
FROM scratch
COPY --from=one /b/one /usr/bin/
COPY --from=two /b/two /usr/bin/
ENTRYPOINT ["/usr/bin/one"]
