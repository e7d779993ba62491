#: needs COPY --parents
FROM busybox
COPY --parents tree/sub/two.c d/sub/ /1/
COPY --parents tree/*.c tree/sub/*.c /2/
COPY --parents ./tree/./sub/deep/four.c /3/
COPY --parents tree/**/*.c /4/
