#: refused
FROM busybox
RUN --mount=type=ssh,id=nobody,required=true true
