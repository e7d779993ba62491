#: docker differs history because a WORKDIR that is there already makes no layer here
FROM busybox
WORKDIR /a
WORKDIR b
WORKDIR c/d
WORKDIR ../e
RUN pwd >/pwd
WORKDIR ./
WORKDIR ..
