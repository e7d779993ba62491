# first
   # indented
FROM busybox
	# tab
RUN echo "# not a comment" >/f # but not this either
ENV A=#x B="a # b"
LABEL x=y
