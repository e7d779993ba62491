FROM busybox
RUN mkdir /real && ln -s /real /link && ln -s /nowhere/else /dangling
WORKDIR /link/sub
RUN pwd >/pwd
