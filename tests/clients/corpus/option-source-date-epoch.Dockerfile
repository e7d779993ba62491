#: needs SOURCE_DATE_EPOCH
#: options --build-arg SOURCE_DATE_EPOCH=1400000000
FROM busybox
COPY a.txt /dir/a
RUN touch -d @1300000000 /old; touch /new
