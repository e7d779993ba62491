FROM busybox
RUN umask 077 && mkdir /private && touch /private/f && umask 000 && touch /open
RUN chmod g+s /private && chmod o+t /private
