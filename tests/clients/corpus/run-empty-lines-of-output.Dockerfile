FROM busybox
RUN printf 'no newline'; printf '\n\n\n'; printf '\r\rprogress' >&2; printf '\377\376' && echo done >/done
