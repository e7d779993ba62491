"""Images from and to registries: pull, push, login."""

from jubako.registry.client.credentials import Credentials, credentials_for
from jubako.registry.client.login import login, logout
from jubako.registry.client.options import ClientOptions
from jubako.registry.client.pull import pull
from jubako.registry.client.push import push
from jubako.registry.client.restore import restore

__all__ = ["ClientOptions", "Credentials", "credentials_for", "login", "logout", "pull", "push", "restore"]
