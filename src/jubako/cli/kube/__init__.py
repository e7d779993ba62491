"""The commands that talk to a cluster's API server, with the flags, columns, messages and exit codes of kubectl.

client    one command's connection, types and namespace; failures become messages
fetching  objects and tables, page by page
chosen    the objects that a command is about; podchoice: the pod and the container
carrying  one connection that is forwarded
output/   how objects are printed
verbs/    what is done
describe/ one object told to people

A keeper does not import this ahead of a call: it needs HTTP, TLS and YAML, which `jubako run` never does.
"""
