FROM busybox
RUN echo 'me:x:1234:1234::/me:/bin/sh' >>/etc/passwd
USER me
RUN id -un >/tmp/n && echo $HOME >/tmp/h
USER me:root
USER "root"
