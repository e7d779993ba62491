"""Who a container may run as.

Spec: core/v1 SecurityContext, runAsNonRoot; k8s.io/kubernetes/pkg/kubelet/kuberuntime/security_context.go.
"""

from __future__ import annotations

from jubako.cluster.node.environment import Missing
from jubako.cluster.node.status import full_name
from jubako.cluster.types.document import Object, mapping, text


def check_user(pod: Object, container: Object, image_user: str) -> None:
    """Refuse root where a pod may not run as root; `image_user` is who its image runs as. Raises Missing."""
    own = mapping(container.get("securityContext"))
    whole = mapping(mapping(pod.get("spec")).get("securityContext"))
    if not own.get("runAsNonRoot", whole.get("runAsNonRoot")):
        return
    where = f'(pod: "{full_name(pod)}", container: {text(container.get("name"))})'
    asked = own.get("runAsUser", whole.get("runAsUser"))
    if asked is not None:
        if asked == 0:
            raise Missing(f"container's runAsUser breaks non-root policy {where}")
        return
    user = image_user.partition(":")[0]
    if user in ("", "0"):
        raise Missing(f"container has runAsNonRoot and image will run as root {where}")
    if not user.isdecimal():
        why = f"image has non-numeric user ({user}), cannot verify user is non-root"
        raise Missing(f"container has runAsNonRoot and {why} {where}")
