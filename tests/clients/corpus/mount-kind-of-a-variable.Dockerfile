#: needs variables in --mount
FROM busybox AS one
ENV KIND=cache ID=kind-of-a-variable
ARG SHARING=LOCKED
RUN --mount=type=$KIND,id=$ID,target=/a,sharing=$SHARING echo 1 >/a/x
FROM one
RUN --mount=type=$KIND,id=$ID,target=/b cp /b/x /x
