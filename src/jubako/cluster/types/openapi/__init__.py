"""OpenAPI documents, generated from the table: v3 one to a group and version, v2 one of all.

schemas   a message -> its schema, and the messages that it refers to
paths     a resource -> its paths and operations
v3        documents and their index
v2        the one document, in JSON
gnostic   the same in protobuf, which old clients ask for

Model:  documents are bytes, made on their first use and kept with their hash; that hash is the ETag and is in the
        index.
Spec:   OpenAPI 3.0.0 and 2.0; Kubernetes' x-kubernetes- extensions; kube-openapi's paths below /openapi.
"""
