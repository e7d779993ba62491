#Escape = `
# an ordinary comment ends them
# escape=\
FROM busybox
RUN echo a `
 b >/f
