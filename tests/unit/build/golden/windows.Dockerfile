# escape=\
FROM busybox
RUN echo a \
  && echo b
RUN <<EOF
x
EOF
