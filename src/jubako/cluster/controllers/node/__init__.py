"""What becomes of nodes and of the pods on them.

health      conditions and taints by the node's heartbeat
eviction    pods leave for taints
"""
