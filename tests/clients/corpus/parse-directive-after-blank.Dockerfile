
# escape=`
FROM busybox
RUN echo one \
    two >/f
ENV A=a\
b
