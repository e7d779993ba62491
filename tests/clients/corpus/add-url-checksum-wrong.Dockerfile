#: needs ADD --checksum
#: options --build-arg URL={url}
#: refused digest mismatch
FROM busybox
ARG URL
ADD --checksum=sha256:0000000000000000000000000000000000000000000000000000000000000000 $URL/file.txt /1
