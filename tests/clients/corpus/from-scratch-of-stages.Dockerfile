FROM busybox AS build
RUN mkdir /out && echo built >/out/app && chmod 755 /out/app && ln -s app /out/link
FROM scratch
COPY --from=build /out/ /
ENTRYPOINT ["/app"]
