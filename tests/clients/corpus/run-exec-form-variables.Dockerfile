FROM busybox
ENV V=value
RUN ["/bin/sh", "-c", "echo \"$V\" ${V} '$V' >/shell"]
RUN ["/bin/touch", "/$V", "/${V:-x}", "/a b", "/q\"q"]
RUN ["/bin/sh", "-c", "printf %s \"$1\" >/one", "sh", "an argument"]
