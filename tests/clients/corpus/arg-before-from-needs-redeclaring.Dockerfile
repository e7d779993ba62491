#: docker differs history because Docker 20.10 writes an ARG's default down, not its value
ARG V=outer W=w
FROM busybox
ENV A="<$V>"
ARG V
ENV B="<$V>"
ARG W=inner
ENV C="<$W>"
