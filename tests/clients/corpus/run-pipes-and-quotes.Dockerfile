FROM busybox
RUN echo 'single $HOME' "double $((1+1))" back\\slash >/f; printf '%s\n' "a'b" 'c"d' | sort -r >/g
RUN echo `echo nested` $(echo "sub shell") >/h
RUN for w in a "b c" d; do echo "[$w]"; done >/i && test -s /i || exit 1
