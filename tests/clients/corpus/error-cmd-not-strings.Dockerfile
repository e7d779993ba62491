#: refused arrays must be comprised of strings only
FROM busybox
CMD ["a", 1]
