"""What is in every cluster before anybody made anything, and is right again whenever the control plane starts.

    defaults     namespaces, priority classes, the class of claims
    roles        the default roles and their bindings
    reconciling  what an earlier version, or somebody, left of a role or binding -> what it shall be
    making       what is missing is made, what is behind is brought up to date

Spec: "Initial namespaces"; "Using RBAC Authorization", Default roles and role bindings, Auto-reconciliation.
"""

from jubako.cluster.apiserver.bootstrap.making import SYSTEM, bootstrap

__all__ = ["SYSTEM", "bootstrap"]
