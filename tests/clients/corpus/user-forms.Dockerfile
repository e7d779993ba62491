FROM busybox
ARG U=7
USER $U
RUN echo $(id -u) $(id -g) >/tmp/1
USER 7:8
RUN echo $(id -u) $(id -g) >/tmp/2
USER root
RUN echo $(id -u) $(id -g) >/tmp/3
USER ${U}:${U}
