#: needs newer BuildKit
FROM busybox
RUN --mount=target=/c,readonly=false touch /c/new
RUN --mount=target=/c,rw=f ! touch /c/new
RUN --mount=type=tmpfs,target=/t,ro ! touch /t/new
RUN --mount=type=cache,target=/k,id=mount-access,readonly=true ! touch /k/new
