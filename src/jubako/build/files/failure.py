"""What a failing system call means while a build reads its context or writes a layer."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def explained(action: str) -> Iterator[None]:
    """Turn an OSError of the body into its kind, with the file's name in the message."""
    try:
        yield
    except OSError as error:
        from jubako.image.layer.failure import meaning

        name = error.filename2 or error.filename or ""
        raise meaning(error, action, name if isinstance(name, bytes) else os.fsencode(str(name))) from error
