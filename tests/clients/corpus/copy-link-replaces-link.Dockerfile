#: needs COPY --link
FROM busybox
RUN mkdir /real && ln -s /real /to && echo old >/real/old
COPY --link d /to/
