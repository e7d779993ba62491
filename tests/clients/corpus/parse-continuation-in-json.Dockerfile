FROM busybox
CMD ["one", \
     "two", \
# between
     "three"]
COPY ["a.txt", \
      "/json/"]
