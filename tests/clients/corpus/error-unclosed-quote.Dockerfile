#: refused unexpected end of statement while looking for matching double-quote
FROM busybox
ENV A="b
