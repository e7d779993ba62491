FROM busybox
RUN mkdir -p /d/e && echo x >/d/f && ln /d/f /d/hard && ln -s f /d/soft && mkfifo /d/pipe && chmod 4711 /d/f && chown 11:12 /d/e && chmod 1777 /d/e
RUN rm /d/hard && mv /d/soft /d/e/ && chmod 600 /d/f
RUN touch -d @1000000000 /d/old && chown -h 3:4 /d/e/soft
