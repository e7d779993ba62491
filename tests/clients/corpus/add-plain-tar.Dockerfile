FROM busybox
ADD arch/plain.tar /1
ADD arch/noext /2/
ADD arch/plain.tar arch/noext /3/
COPY arch/plain.tar /4/
