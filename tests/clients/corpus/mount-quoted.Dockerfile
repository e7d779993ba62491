#: needs newer BuildKit
FROM busybox
RUN --mount=type=cache,target="/a b",id=mount-quoted ls -d '/a b' >/1
RUN --mount='type=cache,"target=/c,d",id=mount-quoted' ls -d '/c,d' >/2
