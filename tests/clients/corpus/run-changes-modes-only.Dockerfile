FROM busybox
RUN mkdir /d && echo x >/d/f && chmod 600 /d/f
RUN chmod 755 /d/f
RUN chown -R 12:13 /d
RUN chmod 1770 /d
