#: refused VOLUME specified can not be an empty string
FROM busybox
VOLUME [""]
