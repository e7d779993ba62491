#: needs COPY --link
FROM busybox AS a
RUN mkdir /o && echo o >/o/f
FROM busybox
COPY --link a.txt /new/a
COPY --link --chown=3:4 --from=a /o /linked/
COPY --link=false b.txt /b
ADD --link d /d
