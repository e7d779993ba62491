#: refused invalid signal: SIGNOTHING
FROM busybox
STOPSIGNAL SIGNOTHING
