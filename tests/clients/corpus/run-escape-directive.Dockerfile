# escape=`
FROM busybox
ENV A=a\b B=x`
 C=`$A
RUN echo one `
 two >/f
COPY a.txt `
 /c/
