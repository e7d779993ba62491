FROM busybox
CMD ["own"]
ENTRYPOINT exec top -b
CMD ["later"]
