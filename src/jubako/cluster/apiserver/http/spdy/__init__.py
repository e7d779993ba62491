"""SPDY/3.1 as exec, attach and port-forward use it: the client opens streams, we answer. No input or output here.

frames    the kinds of frames
codec     frames <-> bytes
headers   names and values <-> the compressed block in a frame
session   which streams there are, and what is answered to what

Flow control: as moby/spdystream has it on both ends of every cluster, there are no windows; who does not read is not
              read from, and TCP does the rest. WINDOW_UPDATE and SETTINGS are taken and mean nothing.
Spec:         draft-mbelshe-httpbis-spdy-00.
"""
