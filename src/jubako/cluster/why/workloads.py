"""What makes pods: are they made, do they run, and how far is a rollout."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from jubako.cluster.types.document import Object, at, integer, text
from jubako.cluster.why.facts import Facts, condition, is_owned, is_ready, message, name_of, replicas
from jubako.cluster.why.pods import pod_story
from jubako.cluster.why.story import Finding, bad, good, told, wait, worst

_REVISION = "deployment.kubernetes.io/revision"


def deployment_story(deployment: Object, facts: Facts) -> Finding:
    return told(
        f"deployment/{name_of(deployment)}", [*_rollout(deployment, facts)], "is rolled out, and all its pods are ready"
    )


def _rollout(deployment: Object, facts: Facts) -> Iterator[Finding]:
    name, wanted = name_of(deployment), replicas(deployment)
    sets = sorted((each for each in facts.replica_sets if is_owned(each, deployment)), key=_revision)
    new = sets[-1] if sets else None
    if at(deployment, "spec", "paused") is True:
        yield wait("its rollout is paused", f"jubako rollout resume deployment/{name}{facts.flags}")
    if new is None:
        refused = facts.event(deployment, "ReplicaSetCreateError")
        yield (
            bad("no ReplicaSet is made: " + message(refused)) if refused else wait("its ReplicaSet is about to be made")
        )
        return
    if wanted == 0:
        yield good("it is scaled to 0")
        return
    pods = [each for each in facts.pods if is_owned(each, new)]
    found = [*_made(new, pods, facts), *_unready(pods, facts)]
    if not found and len([each for each in pods if is_ready(each)]) >= wanted:
        yield good(f"{wanted} of {wanted} pods of revision {_revision(new)} are ready")
    yield from _stalled(deployment, sets, found, facts)
    yield from _leftovers(sets[:-1], facts)


def _revision(replica_set: Object) -> int:
    found = text(at(replica_set, "metadata", "annotations", _REVISION))
    return int(found) if found.isdecimal() else 0


def _stalled(deployment: Object, sets: Sequence[Object], found: list[Finding], facts: Facts) -> Iterator[Finding]:
    """Return what the new version waits for; told as one where the deadline is over."""
    if not found:
        return
    progressing = condition(deployment, "Progressing")
    if progressing.get("reason") != "ProgressDeadlineExceeded":
        yield from found
        return
    name, seconds = name_of(deployment), integer(at(deployment, "spec", "progressDeadlineSeconds"), 600)
    old = sum(integer(at(each, "status", "readyReplicas")) for each in sets[:-1])
    serving = f"; {old} old pods still serve" if old else ""
    back = [f"jubako rollout undo deployment/{name}{facts.flags}"] if len(sets) > 1 else []
    yield bad(f"the new version made no progress for {seconds}s, and is given up{serving}", *back, because=found)


def _made(owner: Object, pods: Sequence[Object], facts: Facts) -> Iterator[Finding]:
    """Return why there are fewer pods than there shall be."""
    wanted = replicas(owner)
    alive = [each for each in pods if not at(each, "metadata", "deletionTimestamp")]
    if len(alive) >= wanted:
        return
    refused = message(facts.event(owner, "FailedCreate")) or text(condition(owner, "ReplicaFailure").get("message"))
    if refused:
        yield _refused(refused.removeprefix("Error creating: "), wanted - len(alive), facts)
    else:
        yield wait(f"{wanted - len(alive)} of {wanted} pods are about to be made")


def _refused(said: str, missing: int, facts: Facts) -> Finding:
    """Return why the API server does not let pods in."""
    lead = f"{missing} pods are not let in: "
    if "exceeded quota" in said:
        quota = said.split("exceeded quota: ")[1].split(",")[0]
        return bad(f"{lead}the quota {quota} is used up", f"jubako describe quota {quota}{facts.flags}", said=[said])
    if "serviceaccount" in said.lower() and "not found" in said:
        return bad(
            f"{lead}their service account does not exist", f"jubako get serviceaccounts{facts.flags}", said=[said]
        )
    if "violates PodSecurity" in said:
        return bad(f"{lead}the namespace's pod security level forbids what they ask for", said=[said])
    if "limitrange" in said.lower() or "per Container" in said or "per Pod" in said:
        return bad(
            f"{lead}a LimitRange of the namespace forbids their resources",
            f"jubako describe limits{facts.flags}",
            said=[said],
        )
    return bad(f"{lead}{said}")


def _unready(pods: Sequence[Object], facts: Facts) -> list[Finding]:
    """Return the stories of pods that are not well; those that have the same once."""
    stories = [pod_story(each, facts) for each in pods if not at(each, "metadata", "deletionTimestamp")]
    different: dict[str, tuple[Finding, int]] = {}
    for story in stories:
        if not story.is_good:
            key = " ".join(each.text.partition("(")[0] for each in story.because if not each.is_good)
            first, count = different.get(key, (story, 0))
            different[key] = first, count + 1
    return [_counted(story, count, len(stories)) for story, count in different.values()]


def _counted(story: Finding, count: int, total: int) -> Finding:
    lead = f"{count} of {total} pods " if total > 1 else "its pod "
    verb = (
        ("are not ready" if count > 1 else "is not ready")
        if story.state == "bad"
        else ("are not ready yet" if count > 1 else "is not ready yet")
    )
    made = bad if story.state == "bad" else wait
    return made(lead + verb, because=[story])


def _leftovers(old: Sequence[Object], facts: Facts) -> Iterator[Finding]:
    """Return old pods that do not go: held by finalizers, or with time left."""
    for pod in facts.pods:
        if at(pod, "metadata", "deletionTimestamp") and any(is_owned(pod, each) for each in old):
            story = pod_story(pod, facts)
            if story.state == "bad":
                yield bad("a pod of the version before does not go", because=[story])


def workload_story(kind: str, document: Object, facts: Facts) -> Finding:
    """Return the story of what owns its pods itself: a ReplicaSet, StatefulSet, DaemonSet or Job."""
    name = name_of(document)
    pods = [each for each in facts.pods if is_owned(each, document)]
    if kind == "job":
        return told(f"job/{name}", [*_job(document, pods, facts)], "is done")
    found = [*_unready(pods, facts)] if kind == "daemonset" else [*_made(document, pods, facts), *_unready(pods, facts)]
    ready = len([each for each in pods if is_ready(each)])
    if worst(found) == "good":
        found = [good(f"{ready} pods are ready"), *found]
    return told(f"{kind}/{name}", found, "has all its pods ready")


def _job(job: Object, pods: Sequence[Object], facts: Facts) -> Iterator[Finding]:
    failed, complete = condition(job, "Failed"), condition(job, "Complete")
    if complete.get("status") == "True":
        yield good(f"{integer(at(job, 'status', 'succeeded'))} pods have succeeded")
        return
    if at(job, "spec", "suspend") is True:
        yield wait("it is suspended", "set spec.suspend to false")
        return
    unwell = _unready(pods, facts)
    if failed.get("status") == "True":
        yield bad(f"it was given up: {text(failed.get('message')) or text(failed.get('reason'))}", because=unwell)
        return
    refused = facts.event(job, "FailedCreate")
    if not pods and refused:
        yield _refused(message(refused).removeprefix("Error creating: "), 1, facts)
    yield from unwell
    if not unwell:
        yield wait(f"{len(pods)} pods are at work")
