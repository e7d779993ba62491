FROM busybox AS site
WORKDIR /site
RUN mkdir -p css && echo 'body{}' >css/s.css && for p in index about; do echo "<h1>$p</h1>" >$p.html; done
FROM busybox
COPY --from=site /site /www
VOLUME /logs
EXPOSE 80
STOPSIGNAL SIGQUIT
CMD ["httpd", "-f", "-h", "/www"]
