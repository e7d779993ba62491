"""`RUN --mount=type=ssh`: agents that a build's commands may ask to sign.

agents     `--ssh`: which agents there are          keyring    an agent of our own, for keys given as files
wire       messages of the agent protocol           forward    the socket that a command sees
"""
