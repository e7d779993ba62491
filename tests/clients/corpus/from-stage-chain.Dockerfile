#: buildah differs Env because in BuildKit a stage goes on with the ARGs of its base
FROM busybox AS one
ENV A=1
ARG B=2
WORKDIR /one
FROM one AS two
ENV C=$A$B
LABEL stage=two
FROM two
ENV D=$A$B$C
CMD ["d"]
