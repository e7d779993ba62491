#: needs --ulimit
#: options --ulimit nofile=512:512
FROM busybox
RUN ulimit -n >/files
