# unknown=thing
# escape=`
FROM busybox
RUN echo one \
    two >/f
