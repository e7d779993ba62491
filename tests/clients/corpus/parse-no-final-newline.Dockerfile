FROM busybox
ENV LAST=yes