FROM scratch
COPY a.txt /
ENV X=$PATH
WORKDIR /made/here
COPY b.txt .
USER 3:4
