FROM busybox
SHELL ["/bin/sh", "-c", "echo \"$0 $1\" >/shell; eval \"$0\""]
RUN echo ran >/ran
SHELL ["/bin/sh", "-ec"]
RUN echo again >/again
