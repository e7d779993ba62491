#: needs ADD --unpack
#: options --build-arg URL={url}
FROM busybox
ARG URL
ADD --unpack=true $URL/arch.tgz /1/
ADD --unpack=false arch.tgz /2/
