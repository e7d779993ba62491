FROM busybox
ARG A=1
ARG B=${A}2
ARG C=$B-$A D
RUN echo "$A $B $C <$D>" >/args
ENV E=$C F=${D:-unset}
