#: buildah differs files:one because buildah makes one layer of all, in which the link holds
FROM busybox
RUN echo one >/one
RUN ln /one /two && ln -s one /sym && ln -s /absolute/nowhere /dangling
RUN echo changed >>/two && rm /sym && ln -s two /sym
