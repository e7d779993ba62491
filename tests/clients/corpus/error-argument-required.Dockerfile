#: needs ${v:?w}
#: refused MISSING: set it please
FROM busybox
ENV A=${MISSING:?"set it please"}
