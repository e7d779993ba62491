"""When a service account's token is to be renewed: after four fifths of its life, or after a day.

Model:  read off the token itself, which lies in its file: a control plane that was restarted renews no sooner.
Spec:   k8s.io/kubernetes/pkg/kubelet/token.
"""

from __future__ import annotations

import base64
import binascii

import msgspec

from jubako.spec import decoding

_SHARE, _LONGEST_S = 0.8, 86400.0


class _Claims(msgspec.Struct, frozen=True):
    iat: float
    exp: float


def left_s(token: bytes, now: float) -> float:
    """Return the seconds until a token is to be renewed, 0 for one whose time has come and for what is none."""
    payload = token.split(b".")[1:2] or [b""]
    try:
        claims = decoding.decode(base64.urlsafe_b64decode(payload[0] + b"=="), _Claims)
    except (binascii.Error, msgspec.MsgspecError, UnicodeDecodeError):
        return 0.0
    return max(claims.iat + min((claims.exp - claims.iat) * _SHARE, _LONGEST_S) - now, 0.0)
