FROM busybox
COPY ["sp ace.txt", "/with space/"]
COPY ["a.txt", "/sp ace/new name"]
COPY sp*ace.txt /w/
