FROM busybox AS a
ARG X=1
ENV Y=$X
FROM a
ENV Z="<$X>$Y"
RUN echo "<$X>" >/x
