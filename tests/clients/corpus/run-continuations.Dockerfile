FROM busybox
RUN echo one >/f && \
    echo two >>/f && \
# a comment inside
    echo three >>/f && \

    echo four >>/f
RUN echo "a   b" \
 	c>/g
