#: options --build-arg V=given
#: docker differs history because Docker 20.10 writes an ARG's default down, not its value
#: buildah differs Env because in BuildKit the later one of ENV and ARG wins
#: buildah differs files:v because in BuildKit the later one of ENV and ARG wins
FROM busybox
ENV V=env
ARG V
RUN echo $V >/v
ENV W=$V
