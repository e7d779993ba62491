#: docker differs history because Docker 20.10 leaves the flags of COPY and ADD out
FROM busybox
RUN echo 'app:x:1000:1001::/:/bin/sh' >>/etc/passwd && printf 'grp:x:2000:\n' >>/etc/group
COPY --chown=app a.txt /1
COPY --chown=app:grp a.txt /2
COPY --chown=app:7 a.txt /3
COPY --chown=7:grp a.txt /4
COPY --chown=1000 a.txt /5
COPY --chown=65534:65533 d /new/parents/made
