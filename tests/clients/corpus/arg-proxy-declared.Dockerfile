#: options --build-arg HTTP_PROXY=http://proxy.invalid:1
#: docker differs history because Docker 20.10 writes an ARG's default down, not its value
FROM busybox
ARG HTTP_PROXY
RUN echo "$HTTP_PROXY" >/proxy
ENV SEEN="<$HTTP_PROXY>"
