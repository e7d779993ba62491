#: options --target 1
#: docker refuses because BuildKit 20.10 knows stages by their names only
FROM busybox
ENV A=0
FROM busybox
ENV A=1
FROM busybox
ENV A=2
