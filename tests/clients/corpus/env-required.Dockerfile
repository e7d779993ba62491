#: needs ${v:?w}
FROM busybox
ENV SET=s
ENV A="${SET:?must be set}" B=${SET?}
