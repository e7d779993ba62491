FROM busybox
ADD arch/odd.tar /odd
