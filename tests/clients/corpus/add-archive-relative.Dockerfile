FROM busybox
WORKDIR /w
ADD arch/plain.tar .
ADD arch/plain.tar sub
