#: needs ADD --checksum
#: options --build-arg URL={url}
FROM busybox
ARG URL
ADD --checksum=sha256:f6e379b0639054c51806fd5d67948cbcaebd354b0e91a7683932b043c5c3ba32 $URL/file.txt /1
