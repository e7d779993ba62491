#: needs variables in --mount
FROM busybox
ARG PLACE=/place
ENV NAME=named
RUN --mount=type=cache,target=${PLACE}/sub,id=$NAME echo $PLACE >${PLACE}/sub/x && cp ${PLACE}/sub/x /x
