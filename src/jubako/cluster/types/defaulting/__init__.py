"""What Kubernetes fills in where a client left a field out.

Most of it is a table (facts/defaults.txt: MESSAGE FIELD VALUE); what depends on other fields is a function beside it.

constants  the table
aliases    fields that say the same twice, or are only for writing
rules      the functions, by message
walk       through a document: a message's own rules, then its constants, then the messages in it

Defaulting is idempotent and never removes what a client set. What admission or a controller fills in (a service
account, the
default tolerations, cluster addresses, node ports) is not here.

Spec: k8s.io/kubernetes/pkg/apis/*/v1/defaults.go, as of 1.32.
"""

from __future__ import annotations

from jubako.cluster.types.defaulting.walk import default

__all__ = ["default"]
