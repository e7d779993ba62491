FROM busybox
ENV A=a#b B="#c" C=#d
LABEL l=#m n=o#p
RUN echo a#b >/f; echo d#e >>/f # c
WORKDIR /with#hash
