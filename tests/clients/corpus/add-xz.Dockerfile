FROM busybox
ADD arch/x.txz /1
