#: docker differs history because Docker 20.10 writes an ARG's default down, not its value
ARG IMAGE=busy TAG
ARG FULL=${IMAGE}box
FROM ${FULL}${TAG:+:}${TAG}
ARG FULL
ARG IMAGE=own
ENV FULL=$FULL IMAGE=$IMAGE TAG=${TAG:-none}
