# escape=\
# escape=`
#: refused only one escape parser directive can be used
FROM busybox
