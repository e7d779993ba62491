FROM busybox
COPY modes /m
COPY modes/set-group modes/read-only /picked/
COPY modes/sticky /s
