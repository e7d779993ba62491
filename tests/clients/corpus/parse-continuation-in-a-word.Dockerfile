FROM busybox
ENV LONG=abc\
def\
ghi
ENV QUOTED="one\
 two"
RUN ec\
ho word >/f
