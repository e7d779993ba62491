FROM busybox
RUN [ -f /etc/passwd ] && echo test >/t
ENTRYPOINT [ "unclosed"
CMD [ -n "$x" ]
