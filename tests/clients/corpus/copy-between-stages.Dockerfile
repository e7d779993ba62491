#: docker differs history because Docker 20.10 leaves the flags of COPY and ADD out
FROM busybox AS a
RUN mkdir -p /s/t && echo 1 >/s/1 && echo 2 >/s/t/2 && ln -s 1 /s/l && ln /s/1 /s/h && chown -R 21:22 /s && chmod 2750 /s/t
FROM busybox
COPY --from=a /s /whole
COPY --from=a /s/t /s/1 /picked/
COPY --from=a --chown=0:0 /s/ /owned/
COPY --from=a /s/l /link
COPY --from=a s/1 /relative
