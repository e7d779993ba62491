#: docker differs history because of the flags of COPY, and a WORKDIR that is there already makes no layer here
FROM busybox
RUN echo 'app:x:1000:1000::/home/app:/bin/sh' >>/etc/passwd && echo 'app:x:1000:' >>/etc/group && mkdir -p /home/app && chown app:app /home/app
USER app
WORKDIR /home/app
RUN touch mine && id -u >who && echo $HOME >home
COPY a.txt theirs
COPY --chown=app a.txt chowned
COPY --chown=app:root a.txt chowned2
USER 0
RUN touch roots
