#: options --build-arg BASE=busybox
#: docker differs history because Docker 20.10 writes an ARG's default down, not its value
ARG BASE=nothing-like-it
FROM $BASE
ARG BASE
ENV BASE=$BASE
