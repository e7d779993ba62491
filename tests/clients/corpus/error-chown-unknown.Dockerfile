#: refused
#: docker accepts because Docker 20.10 takes an unknown user for root
FROM busybox
COPY --chown=nobody-at-all a.txt /a
