#: refused WORKDIR requires exactly one argument
FROM busybox
WORKDIR
