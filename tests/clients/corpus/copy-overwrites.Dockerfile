#: buildah differs files:x/f because a destination that is a link is followed
#: buildah differs files:x/l because a destination that is a link is followed
FROM busybox
COPY a.txt /x/f
COPY b.txt /x/f
RUN ln -s /x/f /x/l && echo own >/x/one
COPY d /x
COPY a.txt /x/l
