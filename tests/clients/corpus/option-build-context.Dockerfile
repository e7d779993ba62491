#: needs --build-context
#: options --build-context other={base}/context/tree
FROM busybox
COPY --from=other one.c sub/three.h /got/
