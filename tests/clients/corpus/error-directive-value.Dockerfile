# escape=x
#: refused invalid escape token .x. does not match
FROM busybox
