"""How objects are printed: functions of documents that return text.

tabular    columns as kubectl aligns them
tables     the server's Table answers
documents  YAML, JSON, names
columns    -o custom-columns
jsonpath/  -o jsonpath
goyaml     YAML as Go's writer lays it out
choice     -o -> one of these
"""
