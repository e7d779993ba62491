#: docker differs history because Docker 20.10 has no start interval
FROM busybox
ENV V=v
CMD ["$V", "${V}"]
ENTRYPOINT echo $V
HEALTHCHECK CMD ["$V"]
SHELL ["/bin/sh", "-c", "$V"]
ONBUILD ENV X=$V
