FROM busybox
ENV A=1 \
    B="x y" \
# comment
    C=3
RUN echo x && \
    echo y >/f
CMD ["a", \
     "b"]
