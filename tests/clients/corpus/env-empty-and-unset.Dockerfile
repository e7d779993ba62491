FROM busybox
ENV EMPTY= QUOTED="" SPACE=" "
RUN env | grep -E '^(EMPTY|QUOTED|SPACE)=' | sort >/env
RUN echo "${EMPTY-unset}" "${NONE-unset}" >/shell
