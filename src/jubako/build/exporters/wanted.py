"""What a build is to put out, from its options: the outputs, with `--load` and `--push` made into outputs."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from jubako.build.exporters.spec import Output, check_outputs, parse_output
from jubako.errors import InvalidArgument


def wanted_outputs(texts: Sequence[str], *, load: bool, push: bool, names: Sequence[str]) -> list[Output]:
    """Raises InvalidArgument for what contradicts itself, as buildx does it."""
    outputs = [parse_output(text) for text in texts]
    if load and not any(output.is_image for output in outputs):
        outputs.append(Output(type="image"))
    if push:
        outputs = _pushed(outputs)
    if not outputs:
        outputs = [Output(type="image")]
    for output in outputs:
        if output.push and not (names or output.names):
            raise InvalidArgument("tag is needed when pushing to registry")
    check_outputs(outputs)
    return outputs


def _pushed(outputs: Sequence[Output]) -> list[Output]:
    if not outputs:
        return [Output(type="image", push=True)]
    if not any(output.type == "image" for output in outputs):
        raise InvalidArgument("push and output can't be used together unless an output is an image")
    return [msgspec.structs.replace(output, push=True) if output.type == "image" else output for output in outputs]
