#: refused exit code: 127
FROM busybox
RUN no-such-program
