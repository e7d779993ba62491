FROM busybox AS base
ENTRYPOINT ["base"]
CMD ["c"]
FROM base
ENTRYPOINT []
