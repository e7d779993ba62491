#: options --secret id=token,src={base}/secret
#: docker differs files:run/secrets because Docker 20.10 leaves the mount points behind
#: buildah differs files:run/secrets because buildah leaves the mount points behind
FROM busybox
RUN --mount=type=secret,id=token wc -c </run/secrets/token >/count
RUN --mount=type=secret,id=token,target=/root/.token,mode=0440,uid=3,gid=4 stat -c '%a %u %g' /root/.token >/stat
RUN --mount=type=secret,id=none ls /run/secrets 2>/dev/null | wc -l >/none
