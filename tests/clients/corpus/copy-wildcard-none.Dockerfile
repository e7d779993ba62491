FROM busybox
COPY a.txt nothing* /1/
COPY nothing*/x? a.txt /2/
