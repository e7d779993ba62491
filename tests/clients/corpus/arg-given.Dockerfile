#: options --build-arg A=given --build-arg B=b=c --build-arg C= --build-arg UNUSED=x
#: docker differs history because Docker 20.10 writes an ARG's default down, not its value
FROM busybox
ARG A=default
ARG B
ARG C=full
RUN echo "$A|$B|<$C>" >/args
ENV A=$A
