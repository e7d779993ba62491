"""The cluster's name server: names of services and pods lead to addresses.

known      what the name server knows, as it is told
state      services, endpoints and pods -> that
zone       that -> all names, and an answer for each question
process    the name server: a process of its own
feed       keeps it alive, and tells it what it has to know

Model:        the process outlives the control plane, as pods do, and holds nothing but what it was told last. It
              listens on loopback; the proxy's rules lead there from the address of the Service `kube-dns`.
Spec:         "Kubernetes DNS-Based Service Discovery", 1.1.0.
"""
