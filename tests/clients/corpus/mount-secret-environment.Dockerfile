#: needs secrets in the environment
#: options --secret id=token,src={base}/secret
FROM busybox
RUN --mount=type=secret,id=token,env=TOKEN printf %s "$TOKEN" | wc -c >/count
RUN env | grep -c TOKEN >/left || true
