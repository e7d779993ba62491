"""Services on this machine: their addresses lead to the pods behind them.

rules    services and endpoints -> one ruleset for nft
proxy    watches both, and has the kernel follow

Model:   one table for each cluster, replaced whole in one transaction: a connection finds the rules before or after a
         change, never none. Connections that are there keep their pod (conntrack). The rules stay while the control
         plane is away; `reset` takes them down.
Spec:    "Virtual IPs and Service Proxies".
"""
