"""A PersistentVolumeClaim: bound, or why not."""

from __future__ import annotations

from jubako.cluster.types.document import Object, array, at, objects, text
from jubako.cluster.why.facts import Facts, message, name_of
from jubako.cluster.why.story import Finding, bad, good, told, wait


def claim_story(claim: Object, facts: Facts) -> Finding:
    return told(f"pvc/{name_of(claim)}", _findings(claim, facts), "is bound")


def claim_finding(name: str, facts: Facts) -> Finding:
    """Return what is to be said of a claim that a pod names."""
    claim = facts.find("PersistentVolumeClaim", name)
    if claim is None:
        return bad(f"the claim {name} does not exist", f"apply a PersistentVolumeClaim named {name}")
    found = _findings(claim, facts)
    return next((each for each in found if not each.is_good), found[-1])


def _findings(claim: Object, facts: Facts) -> list[Finding]:
    name, phase = name_of(claim), text(at(claim, "status", "phase"))
    if at(claim, "metadata", "deletionTimestamp"):
        return [_held(claim, facts)]
    if phase == "Bound":
        return [good(f"the claim {name} is bound to the volume {text(at(claim, 'spec', 'volumeName'))}")]
    if phase == "Lost":
        volume = text(at(claim, "spec", "volumeName"))
        return [
            bad(
                f"the claim {name} has lost its volume {volume}: it was deleted",
                f"jubako delete pvc/{name}{facts.flags}",
            )
        ]
    return [_pending(claim, facts)]


def _held(claim: Object, facts: Facts) -> Finding:
    name = name_of(claim)
    users = [name_of(pod) for pod in facts.pods if name in claims_of(pod)]
    if users:
        return bad(f"the claim {name} is being deleted, and is held by the pods that use it: {', '.join(users)}")
    holders = ", ".join(map(text, array(at(claim, "metadata", "finalizers"))))
    return wait(f"the claim {name} is being deleted; {holders or 'nothing'} holds it")


def _pending(claim: Object, facts: Facts) -> Finding:
    name, wanted = name_of(claim), at(claim, "spec", "storageClassName")
    refused = facts.event(claim, "ProvisioningFailed", "FailedBinding")
    if wanted is None:
        return bad(
            f"the claim {name} names no storage class, and there is no default one",
            "name one in spec.storageClassName: jubako get storageclasses",
        )
    storage = facts.find("StorageClass", text(wanted))
    if wanted and storage is None:
        return bad(
            f'the claim {name} wants the storage class "{text(wanted)}", which does not exist',
            "jubako get storageclasses",
        )
    waits = storage is not None and storage.get("volumeBindingMode") == "WaitForFirstConsumer"
    if waits and not any(name in claims_of(pod) for pod in facts.pods):
        return wait(f"the claim {name} waits for a pod that uses it; its class binds no earlier")
    if refused:
        return bad(f"no volume for the claim {name}: {message(refused)}", f"jubako describe pvc/{name}{facts.flags}")
    return wait(f"the claim {name} waits for a volume")


def claims_of(pod: Object) -> list[str]:
    """Return the claims that a pod uses."""
    found = [text(at(each, "persistentVolumeClaim", "claimName")) for each in objects(at(pod, "spec", "volumes"))]
    return [name for name in found if name]
