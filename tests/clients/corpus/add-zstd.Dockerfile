#: needs ADD of zstd
FROM busybox
ADD arch/z.tzst /1
