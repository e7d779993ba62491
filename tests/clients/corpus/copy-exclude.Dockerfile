#: needs COPY --exclude
FROM busybox
COPY --exclude=*.h --exclude=**/*.c tree /1
COPY --exclude=sub tree /2
COPY --exclude=a* *.txt /3/
ADD --exclude=**/two d /4
