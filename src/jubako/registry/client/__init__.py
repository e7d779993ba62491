"""Images and artifacts from, to and between registries; login."""

from jubako.registry.client.copy import copy
from jubako.registry.client.credentials import Credentials, credentials_for
from jubako.registry.client.listing import about, tags
from jubako.registry.client.login import login, logout
from jubako.registry.client.options import ClientOptions
from jubako.registry.client.pull import pull
from jubako.registry.client.push import push
from jubako.registry.client.restore import restore

__all__ = [
    "ClientOptions",
    "Credentials",
    "about",
    "copy",
    "credentials_for",
    "login",
    "logout",
    "pull",
    "push",
    "restore",
    "tags",
]
