#: refused no build stage in current context
ENV A=1
