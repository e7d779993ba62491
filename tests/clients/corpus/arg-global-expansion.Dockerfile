#: options --build-arg SUFFIX=box
ARG PREFIX=busy
ARG SUFFIX
ARG NAME=${PREFIX}${SUFFIX}
FROM $NAME AS one
ARG NAME
RUN echo $NAME >/name
FROM $NAME
COPY --from=one /name /name
ENV N="<$NAME>"
