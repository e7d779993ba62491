FROM busybox
RUN echo $((1<<2)) >/shift
RUN echo "<<EOF" '<<EOF' >/quoted
