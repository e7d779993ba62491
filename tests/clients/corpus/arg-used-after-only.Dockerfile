FROM busybox
ENV BEFORE="<$V>"
USER ${V:-root}
ARG V=v
ENV AFTER="<$V>"
