"""An image that is not there."""

from __future__ import annotations

import re

from jubako.cluster.types.document import Object, text
from jubako.cluster.why.story import Finding, bad

WAITING = ("ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull", "ImageInspectError")
_UNKNOWN = re.compile(r"not found|manifest unknown|unknown|404|does not exist", re.IGNORECASE)
_DENIED = re.compile(r"unauthorized|denied|401|403|authentication required", re.IGNORECASE)
_AWAY = re.compile(
    r"no such host|lookup|refused|timeout|timed out|unreachable|connection|temporary failure", re.IGNORECASE
)


def image_finding(container: Object, waiting: Object, why: str) -> Finding:
    """Return why an image can not be had; `why` is what the registry, or the way there, said."""
    name, image, reason = text(container.get("name")), text(container.get("image")), text(waiting.get("reason"))
    here = f"jubako build -t {image} .   # or jubako pull {image}: what is here runs"
    if reason == "InvalidImageName":
        return bad(f'container {name}: "{image}" is no name of an image', "mend spec.containers[].image")
    if reason == "ErrImageNeverPull":
        return bad(f"container {name}: the image {image} is not here, and imagePullPolicy is Never", here)
    said = [why] if why else []
    if _AWAY.search(why):
        told = f"container {name}: the registry of {image} can not be reached"
        return bad(told, here, "imagePullPolicy: IfNotPresent, for an image that is here", said=said)
    if _DENIED.search(why):
        told = f"container {name}: the registry does not give {image} to us"
        return bad(told, "spec.imagePullSecrets, with a secret for that registry", said=said)
    if _UNKNOWN.search(why):
        return bad(f"container {name}: there is no image {image}", "look at its name and its tag", here, said=said)
    return bad(f"container {name}: the image {image} can not be pulled", here, said=said)
