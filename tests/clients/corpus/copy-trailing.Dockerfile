FROM busybox
RUN mkdir /there
COPY a.txt /there
COPY a.txt /new/
COPY a.txt /new2/name
COPY d /there/d
COPY d/. /dot
COPY d/sub /sub/
COPY . /all
