#: refused interval .* cannot be less than 1ms
#: buildah accepts because buildah has no shortest interval
FROM busybox
HEALTHCHECK --interval=1us CMD true
