#: needs here-documents
#: refused unterminated heredoc
FROM busybox
COPY <<EOF /f
never ended
