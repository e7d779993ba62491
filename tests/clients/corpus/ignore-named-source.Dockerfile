#: refused "?/?a.txt"?.*not found
FROM scratch
COPY a.txt /
