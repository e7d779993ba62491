FROM busybox
COPY .hidden /a
COPY .config /b/
COPY .h* /c/
COPY *e* /d/
