FROM busybox
USER 5:6
WORKDIR /new/deep
RUN stat -c '%u %g %a' /new /new/deep >/tmp/stat
