FROM busybox AS a
RUN mkdir /x && echo x >/x/f
WORKDIR /x
FROM busybox
COPY --from=a ../x/f /1
COPY --from=a /x/../x/./f /2
COPY --from=a x/ /3
