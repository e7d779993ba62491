FROM busybox
CMD ["first"]
CMD second $HOME "quoted"
CMD ["third", "$HOME"]
