FROM busybox
ENV A one two  three
ENV B "quoted value"
ENV C $A and 'more'
ENV D a\ b\ c
ENV E x=y
