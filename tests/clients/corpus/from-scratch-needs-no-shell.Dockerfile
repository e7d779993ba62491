FROM scratch AS empty
COPY a.txt /in/
FROM scratch
COPY --from=empty / /all/
COPY --from=empty /in /in
