FROM busybox
ARG X=arg
ENV Y=$X
ENV X=env
RUN echo $X $Y >/xy
ENV Z=$X
