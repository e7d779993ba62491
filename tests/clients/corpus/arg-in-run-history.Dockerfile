FROM busybox
ARG ONE=1
RUN echo first >/1
ARG TWO="a b"
RUN echo second >/2
ARG THREE
RUN echo third >/3
