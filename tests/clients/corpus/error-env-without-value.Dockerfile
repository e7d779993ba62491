#: refused ENV must have two arguments
FROM busybox
ENV NAME
