FROM busybox
ENV SET=s EMPTY=
ENV A=${SET:-d} B=${EMPTY:-d} C=${NONE:-d}
ENV D=${SET:+p} E=${EMPTY:+p} F=${NONE:+p}
ENV O=${NONE:-${SET}} P="${NONE:-a b}" Q=${NONE:-"a b"} R=pre${SET}post S=$SET$SET
