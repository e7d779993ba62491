FROM busybox
RUN echo f >/a && mkdir /b && echo x >/b/x && ln -s /a /c
RUN rm /a && mkdir /a && echo in >/a/in && rm -r /b && echo file >/b && rm /c && mkdir /c
RUN rm -r /a && ln -s /b /a
