#: docker differs history because a RUN that changes nothing makes no layer here
FROM busybox
RUN true
RUN cat /etc/passwd >/dev/null
RUN touch /x && rm /x
