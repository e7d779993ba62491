FROM busybox
ENV A=a
ENV B=${X:-${Y:-${A}}} C=${A:+${A}${A}} D=${X:-"$A b"} E="${X:-'q'}" F=${X:-}
ENV G=${A}${A}-$A.$A H=$A$B I=${A:+} J=$
