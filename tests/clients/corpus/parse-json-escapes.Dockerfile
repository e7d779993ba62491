FROM busybox
CMD ["tab\there", "quote\"s", "\u0041\u00e9", "back\\slash", "sl\/ash", ""]
ENTRYPOINT [ "a" ,"b"  , "c" ]
