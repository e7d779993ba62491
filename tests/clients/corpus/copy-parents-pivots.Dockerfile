#: needs COPY --parents
FROM busybox AS base
WORKDIR /t
RUN mkdir -p a/b/c/d/e a/b2/c/d a/b/c2/d && touch a/b/c/d/one a/b/c/d/e/two a/b2/c/d/three a/b/c2/d/four a/file
FROM busybox
COPY --from=base --parents /t/a/./b/./c /first/
COPY --from=base --parents /t/a/b*/./c/**/d /wild/
COPY --from=base --parents /t/a/b/c*/./d/four /t/a/*/./c /two/
RUN cd / && find first wild two | sort >/list && printf '%s\n' first first/b first/b/c first/b/c/d \
  first/b/c/d/e first/b/c/d/e/two first/b/c/d/one two two/c two/c/d two/c/d/e two/c/d/e/two two/c/d/one \
  two/c/d/three two/d two/d/four wild wild/c wild/c/d wild/c/d/e wild/c/d/e/two wild/c/d/one wild/c/d/three \
  | cmp - /list
