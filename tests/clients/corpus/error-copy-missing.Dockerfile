#: refused "?/?nothing/here"?.*not found
FROM busybox
COPY nothing/here /x
