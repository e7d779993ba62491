#: options --build-arg URL={url}
#: refused 404
FROM busybox
ARG URL
ADD $URL/missing /1
