FROM busybox AS a
RUN mkdir -p /o/x /o/y && echo 1 >/o/x/1.so && echo 2 >/o/y/2.so && echo 3 >/o/y/3.a && ln -s 2.so /o/y/l.so
FROM busybox
COPY --from=a /o/*/*.so /libs/
COPY --from=a /o/? /dirs/
