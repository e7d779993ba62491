FROM busybox
ENV PATH=/opt/bin:$PATH
ENV A=1
ENV B=2
ENV A=3
RUN echo "$PATH $A $B" >/env
