#: refused unknown instruction: RNU
FROM busybox
RNU echo x
