# escape=`
#: buildah differs Env because buildah 1.28 escapes with a backslash whatever the directive says
FROM busybox
ENV A=a\b B=x`
 C=`$A
RUN echo one `
 two >/f
COPY a.txt `
 /c/
