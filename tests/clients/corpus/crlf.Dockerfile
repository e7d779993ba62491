FROM busybox
ENV A=1 \
  B=2
RUN echo x >/f
COPY a.txt /c
CMD ["x"]
