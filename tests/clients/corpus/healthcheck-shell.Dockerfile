#: docker differs history because Docker 20.10 has no start interval
FROM busybox
HEALTHCHECK --interval=5m CMD wget -q -O- http://localhost/ || exit 1
