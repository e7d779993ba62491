#: docker differs history because Docker 20.10 has no start interval, and a WORKDIR that is there already makes no layer here
#: buildah differs files:w because buildah makes the directories of volumes
FROM busybox AS base
ENV A=1
LABEL l=1
EXPOSE 80
VOLUME /v
USER 7
WORKDIR /tmp
CMD ["c"]
ENTRYPOINT ["e"]
STOPSIGNAL SIGINT
SHELL ["/bin/sh", "-xc"]
HEALTHCHECK CMD true
FROM base
ENV B=2
LABEL m=2
EXPOSE 81
VOLUME /w
