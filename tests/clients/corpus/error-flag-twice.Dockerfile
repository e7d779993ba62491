#: refused duplicate flag specified: chown
#: buildah accepts because buildah takes the last one
FROM busybox
COPY --chown=1 --chown=2 a.txt /a
