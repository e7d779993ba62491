FROM busybox
ONBUILD RUN echo   spaced   words
ONBUILD COPY --chown=1:2 a.txt /x
ONBUILD ENTRYPOINT ["x"]
