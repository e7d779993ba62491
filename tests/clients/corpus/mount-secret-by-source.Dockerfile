#: options --secret id=s,src={base}/secret
#: buildah refuses because buildah 1.28 wants an id
FROM busybox
RUN --mount=type=secret,source=s,target=/tmp/y cat /tmp/y >/1
