#: needs ${v:?w}
#: options --build-arg A=given --build-arg B=too
ARG A=${NOT_SET:?never asked}
FROM busybox
ARG A
ARG B=${NOT_SET:?never asked}
RUN echo $A $B >/x
