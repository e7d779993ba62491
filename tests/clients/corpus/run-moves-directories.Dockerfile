FROM busybox
RUN mkdir -p /a/b/c && echo 1 >/a/b/c/f && echo 2 >/a/g
RUN mv /a/b /b && mv /a /renamed
RUN mv /b/c /renamed/c && rmdir /b
