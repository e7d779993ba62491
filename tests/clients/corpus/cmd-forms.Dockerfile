FROM busybox AS a
CMD echo $HOME && exit
FROM busybox AS b
CMD ["echo", "$HOME"]
FROM busybox AS c
CMD [ "a" , "b" ]
FROM busybox
CMD ['not', 'json']
