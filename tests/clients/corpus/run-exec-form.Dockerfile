FROM busybox
ENV V=value
RUN ["/bin/sh", "-c", "echo $V >/shell"]
RUN ["touch", "/$V", "/sp ace"]
RUN [ "mkdir", "/dir" ]
