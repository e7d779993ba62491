FROM busybox
ENV WHO=me
MAINTAINER "$WHO" <a@b.invalid>
MAINTAINER  Second   One
