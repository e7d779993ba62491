"""jubako rollout: how far a new version is, the versions that there were, and the way back.

progress  an object -> what its rollout waits for
status    the wait for its end
history   the versions that there are
changing  undo, restart, pause, resume

Spec: `kubectl rollout` (k8s.io/kubectl/pkg/cmd/rollout, polymorphichelpers).
"""
