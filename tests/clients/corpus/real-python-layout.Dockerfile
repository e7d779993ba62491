#: docker differs history because Docker 20.10 has no start interval, and Docker 20.10 leaves the flags of COPY and ADD out, and Docker 20.10 writes an ARG's default down, not its value, and a WORKDIR that is there already makes no layer here
ARG VERSION=3
FROM busybox AS build
WORKDIR /src
COPY tree/ ./
RUN --mount=type=cache,target=/root/.cache mkdir -p /out/lib && cp *.c /out/lib/ && echo "$PWD" >/out/where
FROM busybox
ARG VERSION
ENV APP_HOME=/app APP_VERSION=$VERSION PYTHONUNBUFFERED=1
LABEL org.opencontainers.image.version=$VERSION
RUN echo app:x:1001:1001::/app:/bin/sh >>/etc/passwd && echo app:x:1001: >>/etc/group && mkdir /app && chown app /app
WORKDIR $APP_HOME
COPY --from=build --chown=app /out/ ./
COPY --chown=app:app exec.sh bin/
USER app
EXPOSE 8000
HEALTHCHECK --interval=30s CMD wget -qO- http://127.0.0.1:8000/ || exit 1
ENTRYPOINT ["/app/bin/exec.sh"]
CMD ["serve", "--port", "8000"]
