FROM busybox AS a
RUN mkdir -p /t/real && echo x >/t/real/f && ln -s real /t/link && ln -s /t/real /t/abs && ln -s f /t/real/g && ln -s ../../../../t/real/f /t/up
FROM busybox
COPY --from=a /t/link /l1
COPY --from=a /t/abs /l2/
COPY --from=a /t/link/f /l3
COPY --from=a /t/abs/ /l4
COPY --from=a /t/up /l5
COPY --from=a /t /whole
