"""The node: pods that are bound to this machine, in the engine.

backoff      how long a container that ended waits until it is started again
environment  the variables of a container, from all sources
translate    a pod and its containers -> the engine's options
volumes      what a pod mounts
making       what a pod's steps are to the engine
seen         a pod as the engine has it now
decide       a pod and what is seen of it -> the next steps
status       the same -> the status that is told
conditions   the conditions in it
refusing     what a node does not run
identity     who a container may run as
resources    requests and limits -> cgroups
images       the image is there, as its policy says
secrets      what a pod's secrets have for a registry
probes       one container: startup, liveness and readiness probes
healths      one pod: what its probes say
hooks        postStart and preStop
starting     an attempt is started, with its hook
stopping     an attempt is ended, with its hook and in its turn
ending       the ends of all containers of a pod
commands     a command in a running attempt
engine       the engine, for many threads
worker       one pod: look, decide, do, tell, and again
sources      ConfigMaps and Secrets that change while pods run
reclaiming   data of volumes that are deleted
node         the node itself: its object, its lease, and a worker for each pod

Model:        a pod is brought about as anything is: what is declared and what is seen give the next step. It does not
              matter who made what is seen: after a restart of the control plane pods are adopted as they are.
Concurrency:  `decide`, `status` and `translate` are pure; a worker is a task of the event loop; the engine, which
              blocks, is in threads.
"""
