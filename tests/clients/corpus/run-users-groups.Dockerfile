FROM busybox
RUN echo 'app:x:1000:1000::/home/app:/bin/sh' >>/etc/passwd && printf 'app:x:1000:\nextra:x:2000:app\nother:x:2001:app,root\n' >>/etc/group && mkdir -m 777 /out
USER app
RUN id -u >/out/u && id -g >/out/g && id -G >/out/groups && echo $HOME >/out/home
USER app:extra
RUN id -g >/out/g2 && id -G >/out/groups2
USER 1000
RUN id -G >/out/groups3 && echo $HOME >/out/home3
USER 4242
RUN id -u >/out/u4 && id -G >/out/groups4 && echo $HOME >/out/home4
