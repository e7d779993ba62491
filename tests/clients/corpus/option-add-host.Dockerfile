#: options --add-host corpus.invalid:192.0.2.7
FROM busybox
RUN grep corpus.invalid /etc/hosts | tr -s '\t ' ' ' >/hosts
