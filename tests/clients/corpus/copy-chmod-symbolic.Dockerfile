#: needs symbolic --chmod
FROM busybox
COPY --chmod=u+x,go-r a.txt /1
COPY --chmod=a=rX tree /tree
COPY --chmod=g+w,o= exec.sh /2
