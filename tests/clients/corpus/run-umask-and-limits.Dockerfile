FROM busybox
RUN umask >/umask && pwd >/pwd && echo "$PATH" >/path && echo "$0" >/zero
RUN set | grep -c '^PATH=' >/count
