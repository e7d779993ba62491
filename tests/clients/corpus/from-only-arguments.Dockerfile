#: needs an answer to ARGs alone
#: refused
ARG A=1
ARG B=2
