"""The API over HTTP: what clients far away send and get.

parameters    the query of a request
bodies        what a client sends -> a document
negotiation   the Accept header -> a form (objects, metadata alone, a table) and a media type
answers       items -> what a client gets
streams       a watch
nonresource   /version, /healthz, discovery, OpenAPI
handler       one request, from its credentials to its answer
server        the listener
"""
