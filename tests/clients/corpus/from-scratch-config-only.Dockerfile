FROM scratch
COPY a.txt /a
ENV A=1
LABEL l=1
USER 5
CMD ["/a"]
