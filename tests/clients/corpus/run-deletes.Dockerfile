FROM busybox
COPY d /d
RUN rm -rf /d/sub && rm /etc/group
RUN rm -rf /d && mkdir /d && echo new >/d/new
RUN rm -r /var/spool; mkdir -p /var/spool && touch /var/spool/x
