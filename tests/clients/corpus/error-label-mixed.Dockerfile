#: refused can't find = in "oops"
FROM busybox
LABEL a=1 oops
