#: options --target middle
FROM busybox AS first
ENV FIRST=1
FROM first AS middle
ENV MIDDLE=1
FROM middle AS last
RUN exit 1
