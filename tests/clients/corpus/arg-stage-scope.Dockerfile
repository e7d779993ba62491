#: buildah differs Env because in BuildKit a stage goes on with the ARGs of its base
#: buildah differs files:x because in BuildKit a stage goes on with the ARGs of its base
FROM busybox AS a
ARG X=1
ENV Y=$X
FROM a
ENV Z="<$X>$Y"
RUN echo "<$X>" >/x
