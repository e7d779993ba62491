"""The audit log: who asked for what, when, and whether he got it.

    record      what is known of a request while it is answered -> an Event
    policy      which events are kept
    log         the file: bounded, rotated, written beside the requests

`http.auditing` puts them together for the server.

Spec: "Auditing"; audit.k8s.io/v1.
"""
