#: refused
FROM --platform=not/a/real/platform busybox
