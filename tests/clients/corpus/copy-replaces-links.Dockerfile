FROM busybox
RUN mkdir -p /r /t && echo keep >/t/target && ln -s /t/target /r/one && ln -s /t /r/linked
COPY d /r
COPY a.txt /r/linked/
