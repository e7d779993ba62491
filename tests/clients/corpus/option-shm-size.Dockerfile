#: buildah differs files:size because buildah shows the /dev/shm of the host when it runs without a container
#: needs --shm-size
#: options --shm-size 1m
FROM busybox
RUN df -k /dev/shm | tail -n 1 | tr -s ' ' | cut -d ' ' -f 2 >/size
