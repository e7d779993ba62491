FROM busybox
COPY "a.txt" /1
COPY 'b.txt' "/2"
COPY a.t"xt" /3
