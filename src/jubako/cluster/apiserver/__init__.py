"""The Kubernetes-compatible API: what a request means, and what is done with objects.

attributes   a method, a path and a query -> who wants what of which resource
failures     everything that a request can be refused with, as a Status
access/      who a client is, and what it may do
admission    what completes and judges objects on their way into the store
services     cluster addresses and node ports
special/     subresources, and kinds that are never stored
objects/     the verbs on stored objects: get, list, watch, create, update, patch, delete
http/        the verbs for clients far away: bodies, media types, streams
api          all of it, put together
bootstrap/   what is in every cluster from the beginning, mended at each start

Model:       an object is a document in the store under /registry/GROUP/RESOURCE/[NAMESPACE/]NAME; its resourceVersion
             is the revision of its last write and is not among its bytes.
Concurrency: one event loop. Between a read and the write that depends on it others may write: the store refuses then,
             and the verb begins anew or tells the client.
Spec:        "Kubernetes API Concepts"; API conventions.
"""
