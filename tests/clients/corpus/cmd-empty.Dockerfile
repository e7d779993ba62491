FROM busybox
ENTRYPOINT ["x"]
CMD []
