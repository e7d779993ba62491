"""Whether a container is well, as its probes say; and what hooks and probes call alike.

probing   when each probe of an attempt is due, and what follows from its outcomes
checks    one look: a command, HTTP, TCP or gRPC
http      one GET, with redirects
grpc      grpc.health.v1.Health/Check
dialing   connections, and how Go names what is wrong with them
"""
