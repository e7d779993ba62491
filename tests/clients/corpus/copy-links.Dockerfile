FROM busybox
RUN mkdir /real && ln -s /real /to-real && ln -s real /to-rel
COPY d /to-real
COPY a.txt /to-rel/
COPY lnk /file
COPY dlnk /tree
