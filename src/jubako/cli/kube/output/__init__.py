"""How objects are printed: functions of documents that return text.

escaping   what a terminal would obey, made visible
tables     the server's Table answers
documents  YAML, JSON, names
columns    -o custom-columns; sorting: --sort-by
goyaml     YAML as Go's writer lays it out
choice     -o -> one of these
"""
