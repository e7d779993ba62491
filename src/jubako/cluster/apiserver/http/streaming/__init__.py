"""exec, attach and port-forward over connections that were upgraded: several streams of bytes on one connection.

streams    what a stream is, and what has come in on it and waits for its reader
wire       a connection that carries bytes and nothing else: one that HTTP has given up, or a tunnel in a WebSocket
spdy       streams that the client opens, over a wire
channels   streams that are there from the start, over a WebSocket: the first byte of each message names its stream
upgrade    what a client offers, and what is spoken
command    the streams of a remote command, and a process
remote     exec and attach: a command over what its client speaks
forward    the streams of a forwarded port, and a connection in the pod
ports      port-forward over what its client speaks: which streams belong together
ending     when a connection is over: nothing moves on it, its client has gone, or all is said

Model:        exec, attach and port-forward know streams, and nothing of what carries them.
Invariant:    who does not read is not read from: what waits of one connection is limited, whatever its client does.
"""
