FROM busybox
RUN touch "/.hidden" "/-dash" "/ünï" "/a*b" '/q"uote' "/back\\slash"
