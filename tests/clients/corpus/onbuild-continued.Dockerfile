FROM busybox
ONBUILD RUN echo one && \
    # comment
    echo two
ONBUILD COPY ["a.txt", "/x"]
