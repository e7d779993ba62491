#: needs ${v-w}
FROM busybox
ENV SET=s EMPTY=
ENV J=${EMPTY-d} M="<${EMPTY+p}>"
ENV I=${SET-d} K=${NONE-d} L=${SET+p} N=${NONE+p}
