"""The API over HTTP: what clients far away send and get.

parameters    the query of a request
bodies        what a client sends -> a document
negotiation   the Accept header -> a form (objects, metadata alone, a table) and a media type
patches, applied  the body of a PATCH -> a change of a document, or what is applied
answers       items -> what a client gets
streams       a watch
pods          log, exec, attach and port-forward (logs, streaming, spdy)
proxying      HTTP to pods and services, through this server
running       what streams, until the server ends
nonresource   /version, /healthz, discovery, OpenAPI
openid        the key that service accounts' tokens are verified with
handler       one request, from its credentials to its answer
server        the listener
"""
