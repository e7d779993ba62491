#: docker differs history because Docker 20.10 has no start interval
FROM busybox
HEALTHCHECK --interval=1h1m1.5s --timeout=100ms --start-period=2m --retries=1 CMD ["a", "$B", "c d"]
