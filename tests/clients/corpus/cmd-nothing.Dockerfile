#: docker differs history because ours has no layer where nothing changed
#: buildah refuses because buildah wants a command
FROM busybox
RUN
CMD
