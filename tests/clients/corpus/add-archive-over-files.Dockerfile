FROM busybox
RUN mkdir -p /o/t && echo old >/o/t/top && echo kept >/o/kept && ln -s /o /l
ADD arch/plain.tar /o
ADD arch/noext /l/
