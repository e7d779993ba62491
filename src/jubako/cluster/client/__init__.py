"""A client of the Kubernetes API, as `jubako apply`, `get` and their kin use it.

config       kubeconfig files -> where the server is, and who asks
credentials  certificates, tokens, and programs that give them -> TLS and headers
connection   requests, answers that stream, WebSockets (websocket)
failure      what was refused, in kubectl's words
discovery    names of types -> resources, as the server tells them
operands     TYPE, TYPE/NAME, TYPE NAME…: what is meant
manifests    files, directories and standard input -> objects
applying     one object, made or brought to what a manifest says
gojson       JSON as Go writes it

Model:       blocking; a connection belongs to one command. Nothing here knows this machine's clusters: any server does.
"""
