FROM scratch
COPY glob /glob
