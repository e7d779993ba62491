#: docker differs history because a RUN that changes nothing makes no layer here
FROM busybox
RUN echo lost >>/etc/hosts; echo lost >>/etc/resolv.conf; touch /dev/shm/lost /kept
RUN grep -q lost /etc/hosts && echo stayed >/stayed; true
