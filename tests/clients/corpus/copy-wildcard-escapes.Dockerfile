#: buildah differs files:2/[x].txt because buildah reads the brackets of a file that it has found as a pattern again
#: buildah differs files:2/x.txt because buildah reads the brackets of a file that it has found as a pattern again
#: buildah differs files:5/[x].txt because buildah reads the brackets of a file that it has found as a pattern again
FROM busybox
COPY glob/\[x].txt /1/
COPY glob/[[]x].txt /2/
COPY glob/q\? /3/
COPY glob/[a-c]*b /4/
COPY glob/[^q]* /5/
