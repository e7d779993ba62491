#: needs newer BuildKit
#: options --build-arg BUILDKIT_SANDBOX_HOSTNAME=named
FROM busybox
RUN hostname >/1 && grep -w named /etc/hosts
