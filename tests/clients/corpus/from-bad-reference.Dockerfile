#: refused invalid reference format
FROM busy:box:x
