FROM busybox
ENV NAME=ünï
LABEL ключ=значение
CMD ["ünï", "日本"]
COPY ["uni/ünï.txt", "/ä/"]
