"""A name server: answers what it knows, and asks others for the rest.

wire       messages, as bytes
loop       sockets and timers of one thread
upstream   asking other servers
server     listening, and what comes back to whom

Model:        what is known is a function from a question to a `Reply`, or to None for what others are to be asked.
Concurrency:  one thread without blocking calls; every queue and wait has a bound.
"""
