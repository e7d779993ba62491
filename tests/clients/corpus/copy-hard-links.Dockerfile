FROM busybox
COPY hard /hard
COPY hard/a hard/b /two/
