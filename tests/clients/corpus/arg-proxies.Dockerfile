#: options --build-arg HTTP_PROXY=http://proxy.invalid:1 --build-arg no_proxy=localhost
#: docker differs history because a RUN that changes nothing makes no layer here
#: buildah differs Env because the proxies are there for RUN only
FROM busybox
RUN echo "$HTTP_PROXY $no_proxy" >/proxies
RUN true
ENV SEEN="<$HTTP_PROXY>"
