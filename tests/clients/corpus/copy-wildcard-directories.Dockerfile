FROM busybox
COPY tree/*/*.c /1/
COPY tr?e/sub /2/
COPY t*/s*/d* /3/
COPY tree/s* /4
COPY d/*/ /5/
