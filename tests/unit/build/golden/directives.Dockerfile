# Syntax = docker/dockerfile:1
# escape=`
# check=skip=all

# escape=\ (an ordinary comment by now)
FROM busybox
COPY testfile.txt c:\
RUN dir c:\ && `
    echo done
