#: docker differs WorkingDir because Docker 20.10 keeps the slash at the end
#: docker differs history because Docker 20.10 keeps the slash at the end
#: buildah differs WorkingDir because buildah keeps the slash at the end
FROM busybox
WORKDIR rel
WORKDIR sub
RUN pwd >/p1
WORKDIR /abs
WORKDIR ../up/./x
RUN pwd >/p2
ENV D=/by/env
WORKDIR $D
WORKDIR "with space"
RUN pwd >/p3
WORKDIR /trailing/
