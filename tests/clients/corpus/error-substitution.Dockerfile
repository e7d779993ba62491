#: refused (unsupported modifier|missing ':') .*in substitution
FROM busybox
ENV A=${B!C}
