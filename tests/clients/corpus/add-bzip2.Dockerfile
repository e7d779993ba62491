FROM busybox
ADD arch/b.tbz /1
