"""The OCI runtime command line, as runc has it: containers from bundles, for containerd, podman and docker.

State:        <root>/<id>/   state.json, config.json (as created), start.sock while it is created but not started
Parentage:    create and detached runs leave no process of ours behind: the container becomes the child of the nearest
              subreaper above the caller, who waits for it.
Spec:         OCI runtime-spec, "Runtime and Lifecycle"; runc(8).
"""
