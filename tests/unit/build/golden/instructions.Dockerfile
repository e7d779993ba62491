ARG VERSION=3.19 NAME
FROM --platform=linux/amd64 alpine:${VERSION} AS Build
MAINTAINER Some One <one@example.com>
ARG A B=2
WORKDIR /src
USER 1000:1000
EXPOSE 80 443/tcp 53/udp 8000-8002
VOLUME /data /logs
VOLUME ["/with space"]
SHELL ["/bin/bash", "-o", "pipefail", "-c"]
RUN --network=none ["/bin/true", "a b"]
RUN --mount=type=cache,id=x,dst=/c --mount=target=/b,rw make
RUN [not json]
CMD ["a", "b"]
CMD a b
ENTRYPOINT exec top -b
STOPSIGNAL SIGQUIT
HEALTHCHECK --interval=1m30s --timeout=500ms --retries=3 CMD curl -f http://localhost/
HEALTHCHECK NONE
ONBUILD COPY . /app
FROM scratch
copy --from=build --chown=1:2 --chmod=u+x src/* /bin/
ADD ["archive.tar.gz", "/x y/"]
