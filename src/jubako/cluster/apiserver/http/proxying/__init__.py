"""pods/proxy and services/proxy: HTTP to what listens in a pod, through the API server.

targets    NAME, NAME:PORT, SCHEME:NAME:PORT -> a pod and a port of it
headers    what of a request goes on, and what of an answer comes back
paths      what leads to a proxy, and what is beneath it
exchange   one request to a pod, and its answer
pages      an answer whose links are to lead through the proxy; links, coding: its markup, and how it is packed
answering  a request from what it names to its end
upgraded   a connection that has been upgraded: bytes both ways

Invariant:    a connection is made from within the network of the pod that is meant, to the address that the node
              gave it, whatever the API says of addresses: this is no way to another host.
Concurrency:  each runs in the task of its request; what is not taken at one end is not read at the other.
Spec:         core/v1 PodProxyOptions, ServiceProxyOptions; "Access Services Running on Clusters".
"""
