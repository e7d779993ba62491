"""Who a client is, and what it may do.

authority       the cluster's certificate authority, and the certificates and keys that it makes
authentication  a client certificate or a bearer token -> a user
tokens          tokens of service accounts
rules           Role documents -> what a user may do
authorization   RBAC over what is stored
grants          who may give rights to others
impersonation   who may ask as somebody else
"""
