FROM busybox
ENV D=/dir U=7 P=81 S=SIGHUP L=label
WORKDIR $D/${U}
USER ${U}:${U}
EXPOSE $P/udp ${P}
STOPSIGNAL $S
LABEL "$L"=$L ${L}2="$D" '$L'='$D'
VOLUME $D/v "${D}/w"
COPY a.txt ${D}/a
ADD b.txt $D/b
