FROM busybox
ENV foo=/bar
WORKDIR ${foo}
COPY a.txt \$foo
COPY a.txt ./\${foo}
WORKDIR \$sub
ENV A=\$foo B=\${foo} C="\$foo" D='$foo' E=\\$foo
