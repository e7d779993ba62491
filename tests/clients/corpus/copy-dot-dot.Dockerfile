FROM busybox
COPY ../a.txt /up
COPY /a.txt /abs
COPY ./d/../b.txt /b
