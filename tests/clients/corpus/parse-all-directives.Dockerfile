# escape=`
# check=skip=all
#: buildah differs Env because buildah 1.28 escapes with a backslash whatever the directive says
FROM busybox
ENV A=a\b `
    B=c
