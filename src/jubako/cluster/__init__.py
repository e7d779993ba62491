"""A Kubernetes-compatible control plane on one machine.

types         what the API's objects are
store         keys with values and revisions, watched
patch         the API's three kinds of patches
selectors     labelSelector and fieldSelector
apiserver     what a request means, and what is done with objects
controllers   what brings the objects about
node          pods that are bound to this machine, in the engine
proxy         the addresses of services lead to pods
control       all of these, put together; serve is the process of it
place, life   the directories of a cluster, and its coming and going
"""
