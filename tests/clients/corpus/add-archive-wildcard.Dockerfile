FROM busybox
ADD arch/*.t[bx]z /1/
