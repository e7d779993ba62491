FROM busybox
ARG A="two words"
ARG B='single $A'
ARG C=back\ slash
ARG D=
RUN echo "$A|$B|$C|<$D>" >/args
