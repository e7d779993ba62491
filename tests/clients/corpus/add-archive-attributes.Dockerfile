#: docker differs files:x/ping because Docker 20.10 takes no other attributes than capabilities along
FROM busybox
ADD arch/xattrs.tar /x
