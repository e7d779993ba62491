#: refused
# nothing but a comment
