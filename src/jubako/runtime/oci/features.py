"""`features`: what this runtime can do, told from the tables that do it.

Spec: OCI runtime-spec, features.md.
"""

from __future__ import annotations

from typing import Any

from jubako import __version__
from jubako.linux import cgroup
from jubako.runtime import defaults, mount_options, namespaces, seccomp, seccomp_arch, seccomp_profile, seccomp_rules
from jubako.runtime.oci.containers import OCI_VERSION


def document() -> dict[str, Any]:
    """The features document; what is absent from it is unknown to nobody: it is not supported."""
    return {
        "ociVersionMin": "1.0.0",
        "ociVersionMax": OCI_VERSION,
        "hooks": ["prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop"],
        "mountOptions": mount_options.known(),
        "linux": {
            "namespaces": sorted(namespaces.FLAGS),
            "capabilities": defaults.ALL_CAPABILITIES,
            "cgroup": {"v1": True, "v2": True, "systemd": True, "systemdUser": True, "rdma": True},
            "seccomp": {
                "enabled": True,
                "actions": sorted(seccomp_profile.ACTIONS),
                "operators": sorted(f"SCMP_CMP_{name}" for name in seccomp_rules.OPERATORS),
                "archs": sorted(seccomp_arch.ARCHES),
                "knownFlags": sorted(seccomp.FLAGS),
                "supportedFlags": sorted(filter(seccomp.supports, seccomp.FLAGS)),
            },
            "apparmor": {"enabled": True},
            "selinux": {"enabled": True},
            "intelRdt": {"enabled": False},
            "mountExtensions": {"idmap": {"enabled": True}},
        },
        "annotations": {
            "org.jubako.version": __version__,
            "org.jubako.cgroup": cgroup.manager().version,
        },
    }
