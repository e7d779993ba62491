#: refused can't find = in "oops"
FROM busybox
ENV A=1 oops
