ARG V=outer W=w
FROM busybox
ENV A="<$V>"
ARG V
ENV B="<$V>"
ARG W=inner
ENV C="<$W>"
