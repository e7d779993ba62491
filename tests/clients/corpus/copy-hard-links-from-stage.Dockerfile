FROM busybox AS a
RUN mkdir /h && echo x >/h/1 && ln /h/1 /h/2 && ln /h/1 /h3
FROM busybox
COPY --from=a /h /h
COPY --from=a /h/1 /h3 /pair/
