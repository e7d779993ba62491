FROM busybox
ENV A=1
ENV A=$A2 B=${A}2
ENV C=$A_B D=${A}_B E=$A-B F=$A.B G=$A/B
