FROM busybox
ENV a.b=1 c-d=2 _e=3
ENV 9=nine
ENV "quoted"=4
