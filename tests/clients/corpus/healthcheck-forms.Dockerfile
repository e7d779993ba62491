#: docker differs history because Docker 20.10 has no start interval
FROM busybox AS a
HEALTHCHECK NONE
FROM busybox
HEALTHCHECK --interval=1m30s --timeout=2s --start-period=500ms --retries=4 CMD ["check", "it"]
