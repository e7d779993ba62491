FROM busybox
ENV PATH $PATH:/opt/bin
ENV PATH="/first:${PATH}"
RUN echo $PATH >/path
