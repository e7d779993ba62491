FROM busybox
ADD arch/not.tar /1
ADD arch/text.gz /2
ADD arch/empty.tar /3
