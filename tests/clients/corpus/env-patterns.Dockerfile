#: needs patterns in expansions
FROM busybox
ENV P=/usr/local/lib/x.tar.gz S=foobarfoo
ENV A=${P#*/} B=${P##*/} C=${P%.*} D=${P%%.*} E=${P#none} F=${P%none}
ENV G=${S#foo} H=${S%foo} I=${S##*o} J=${S%%o*} K=${S#?} L=${S%??}
ENV M=${S/foo/X} N=${S//foo/X} O=${S/o*b/-} Q=${P##*.} R=${S//o/}
