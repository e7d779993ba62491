# escape=`
#: buildah differs Env because buildah 1.28 escapes with a backslash whatever the directive says
#: buildah differs WorkingDir because buildah 1.28 escapes with a backslash whatever the directive says
#: buildah differs files:c:\dir because buildah 1.28 escapes with a backslash whatever the directive says
#: buildah differs files:c:\dir/dest\ because buildah 1.28 escapes with a backslash whatever the directive says
#: buildah differs files:c:dir because buildah 1.28 escapes with a backslash whatever the directive says
#: buildah differs files:c:dir/dest because buildah 1.28 escapes with a backslash whatever the directive says
FROM busybox
WORKDIR /c:\dir
COPY a.txt dest\
ENV P=C:\tools\ Q="in `"quotes`"" R=`$A S=x``y
