FROM busybox AS root
RUN echo root >/root.txt
FROM root AS left
RUN echo left >/left
FROM root AS right
RUN echo right >/right
FROM root
COPY --from=left /left /
COPY --from=right /right /
