FROM busybox
ENV A="line one \
line two" B=after
ENV C='single \
more' D=x
