#: refused MAINTAINER requires exactly one argument
FROM busybox
MAINTAINER
