"""Every command: where it stands, in which file it lives, and the line that help shows for it.

Static, so that neither finding a command nor printing the overview imports the commands. A value is the name of a
module in `jubako.cli.commands`; the same file serves `jubako ps` and `jubako container ls`.
"""

from __future__ import annotations

COMMON = ("run", "exec", "ps", "build", "pull", "push", "images", "login", "logout", "version", "info")

COMMANDS = {
    "apply": "Apply a configuration to a cluster by file name or stdin",
    "attach": "Attach local standard input, output, and error streams to a running container",
    "bake": "Build from a file",
    "build": "Build an image from a Dockerfile",
    "commit": "Create a new image from a container's changes",
    "cp": "Copy files/folders between a container and the local filesystem",
    "create": "Create a new container",
    "delete": "Delete resources of a cluster by files, names, or label selector",
    "describe": "Show details of a specific resource of a cluster or group of resources",
    "diff": "Inspect changes to files or directories on a container's filesystem",
    "doctor": "Tell what this host lacks and how to get it",
    "events": "Get real time events from the engine",
    "exec": "Execute a command in a running container, here or in a cluster's pod",
    "export": "Export a container's filesystem as a tar archive",
    "get": "Display one or many resources of a cluster",
    "history": "Show the history of an image",
    "images": "List images",
    "import": "Import the contents from a tarball to create a filesystem image",
    "info": "Display system-wide information",
    "inspect": "Return low-level information on containers, images, volumes and networks",
    "kill": "Kill one or more running containers",
    "load": "Load an image from a tar archive or STDIN",
    "login": "Authenticate to a registry",
    "logout": "Log out from a registry",
    "logs": "Fetch the logs of a container, here or in a cluster's pod",
    "pause": "Pause all processes within one or more containers",
    "port": "List port mappings or a specific mapping for the container",
    "port-forward": "Forward one or more local ports to a pod of a cluster",
    "ps": "List containers",
    "pull": "Download an image from a registry",
    "push": "Upload an image to a registry",
    "rename": "Rename a container",
    "restart": "Restart one or more containers",
    "rm": "Remove one or more containers",
    "rmi": "Remove one or more images",
    "run": "Create and run a new container from an image",
    "save": "Save one or more images to a tar archive (streamed to STDOUT by default)",
    "scale": "Set a new size for a deployment, replica set, or stateful set of a cluster",
    "start": "Start one or more stopped containers",
    "stats": "Display a live stream of container(s) resource usage statistics",
    "stop": "Stop one or more running containers",
    "tag": "Create a tag TARGET_IMAGE that refers to SOURCE_IMAGE",
    "top": "Display the running processes of a container",
    "unpause": "Unpause all processes within one or more containers",
    "update": "Update configuration of one or more containers",
    "version": "Show the version information",
    "wait": "Block until one or more containers stop, then print their exit codes",
    "why": "Tell what keeps a pod, deployment, service or claim of a cluster from working, and what to try",
}

# Commands that exist only within a group.
GROUP_COMMANDS = {
    "artifact_pull": "Write the files of an artifact from a registry to a directory",
    "artifact_push": "Send files to a registry as an artifact",
    "artifact_referrers": "List what refers to an image or artifact in its registry: signatures and the like",
    "builder_du": "Disk usage of the build cache",
    "builder_history_inspect": "Inspect a build",
    "builder_history_logs": "Print the logs of a build",
    "builder_history_ls": "List build records",
    "builder_history_rm": "Remove build records",
    "builder_prune": "Remove build cache",
    "cluster_down": "Stop a cluster's control plane; what it runs goes on running",
    "cluster_kubeconfig": "Print the kubeconfig of a cluster that runs",
    "cluster_reset": "Stop a cluster and throw away all that it was",
    "cluster_status": "List clusters, and whether they run",
    "cluster_up": "Start a cluster, with an API that kubectl speaks",
    "container_inspect": "Display detailed information on one or more containers",
    "container_prune": "Remove all stopped containers",
    "image_bootstrap": "Make a base image from the distribution's packages, without a registry",
    "image_copy": "Copy an image from one registry to another, without storing it here",
    "image_inspect": "Display detailed information on one or more images",
    "image_mount": "Mount images on this host, read-only",
    "image_prune": "Remove unused images",
    "image_tree": "Show the layers of an image, and which images share them",
    "image_unmount": "Unmount images from this host",
    "network_create": "Create a network",
    "network_inspect": "Display detailed information on one or more networks",
    "network_ls": "List networks",
    "network_prune": "Remove all unused networks",
    "network_rm": "Remove one or more networks",
    "pod_create": "Create a new empty pod",
    "pod_inspect": "Display detailed information on one or more pods",
    "pod_prune": "Remove all pods that are not running, with their containers",
    "pod_ps": "List pods",
    "pod_rm": "Remove one or more pods with their containers",
    "pod_start": "Start one or more pods with their containers",
    "pod_stop": "Stop one or more pods",
    "registry": "Serve a registry (push, pull, tags, delete) from a local directory",
    "registry_gc": "Delete from a registry's directory what nothing names any more",
    "rollout_history": "View rollout history",
    "rollout_pause": "Mark the provided resource as paused",
    "rollout_restart": "Restart a resource",
    "rollout_resume": "Resume a paused resource",
    "rollout_status": "Show the status of the rollout",
    "rollout_undo": "Undo a previous rollout",
    "system_check": "Verify blobs, layers and images, and repair what is damaged",
    "system_compact": "Keep one copy of the bytes of unpacked layers, where that is safe",
    "system_df": "Show disk usage",
    "system_prune": "Remove unused data",
    "volume_create": "Create a volume",
    "volume_inspect": "Display detailed information on one or more volumes",
    "volume_ls": "List volumes",
    "volume_prune": "Remove unused local volumes",
    "volume_rm": "Remove one or more volumes. You cannot remove a volume that is in use by a container.",
}

GROUPS: dict[str, tuple[str, dict[str, str]]] = {
    "artifact": (
        "Manage artifacts: any files, in registries",
        {"pull": "artifact_pull", "push": "artifact_push", "referrers": "artifact_referrers"},
    ),
    "builder": (
        "Manage builds",
        {"bake": "bake", "build": "build", "du": "builder_du", "prune": "builder_prune"},
    ),
    "builder history": (
        "Commands to work on build records",
        {
            "inspect": "builder_history_inspect",
            "logs": "builder_history_logs",
            "ls": "builder_history_ls",
            "rm": "builder_history_rm",
        },
    ),
    "cluster": (
        "Manage clusters",
        {
            "down": "cluster_down",
            "kubeconfig": "cluster_kubeconfig",
            "reset": "cluster_reset",
            "status": "cluster_status",
            "up": "cluster_up",
        },
    ),
    "container": (
        "Manage containers",
        {
            "attach": "attach",
            "commit": "commit",
            "cp": "cp",
            "create": "create",
            "diff": "diff",
            "exec": "exec",
            "export": "export",
            "inspect": "container_inspect",
            "kill": "kill",
            "logs": "logs",
            "ls": "ps",
            "pause": "pause",
            "port": "port",
            "prune": "container_prune",
            "rename": "rename",
            "restart": "restart",
            "rm": "rm",
            "run": "run",
            "start": "start",
            "stats": "stats",
            "stop": "stop",
            "top": "top",
            "unpause": "unpause",
            "update": "update",
            "wait": "wait",
        },
    ),
    "image": (
        "Manage images",
        {
            "bootstrap": "image_bootstrap",
            "build": "build",
            "copy": "image_copy",
            "history": "history",
            "import": "import",
            "inspect": "image_inspect",
            "load": "load",
            "ls": "images",
            "mount": "image_mount",
            "prune": "image_prune",
            "pull": "pull",
            "push": "push",
            "rm": "rmi",
            "save": "save",
            "tag": "tag",
            "tree": "image_tree",
            "unmount": "image_unmount",
        },
    ),
    "network": (
        "Manage networks",
        {
            "create": "network_create",
            "inspect": "network_inspect",
            "ls": "network_ls",
            "prune": "network_prune",
            "rm": "network_rm",
        },
    ),
    "pod": (
        "Manage pods: containers that share a network and limits",
        {
            "create": "pod_create",
            "inspect": "pod_inspect",
            "prune": "pod_prune",
            "ps": "pod_ps",
            "rm": "pod_rm",
            "start": "pod_start",
            "stop": "pod_stop",
        },
    ),
    "registry": ("Serve images to others", {"gc": "registry_gc", "serve": "registry"}),
    "rollout": (
        "Manage the rollout of one or many resources of a cluster",
        {
            "history": "rollout_history",
            "pause": "rollout_pause",
            "restart": "rollout_restart",
            "resume": "rollout_resume",
            "status": "rollout_status",
            "undo": "rollout_undo",
        },
    ),
    "system": (
        "Manage the engine",
        {
            "check": "system_check",
            "compact": "system_compact",
            "df": "system_df",
            "doctor": "doctor",
            "events": "events",
            "info": "info",
            "prune": "system_prune",
        },
    ),
    "volume": (
        "Manage volumes",
        {
            "create": "volume_create",
            "inspect": "volume_inspect",
            "ls": "volume_ls",
            "prune": "volume_prune",
            "rm": "volume_rm",
        },
    ),
}

# Second names that help shows only as aliases.
ALIASES = {
    "container": {"list": "ls", "ps": "ls", "remove": "rm"},
    "image": {"list": "ls", "remove": "rm", "umount": "unmount"},
    "network": {"list": "ls", "remove": "rm"},
    "pod": {"list": "ps", "ls": "ps"},
    "volume": {"list": "ls", "remove": "rm"},
}

# Called by the engine itself; help does not list them.
HIDDEN = {"cleanup": "Finish a container that has ended", "health": "Tell of a changed health"}


def summary(command: str) -> str:
    return COMMANDS.get(command) or GROUP_COMMANDS.get(command) or HIDDEN[command]


def module_name(command: str) -> str:
    return f"jubako.cli.commands.{command.replace('-', '_')}"


def in_group(group: str, name: str) -> str | None:
    """The command behind `GROUP NAME`, or None."""
    members = GROUPS[group][1]
    return members.get(ALIASES.get(group, {}).get(name, name))


def subgroups(group: str) -> dict[str, str]:
    """The groups inside `group` ("" is the top) by their last word, with the line that help shows."""
    start = f"{group} " if group else ""
    return {
        name.removeprefix(start): summary
        for name, (summary, _) in GROUPS.items()
        if name.startswith(start) and " " not in name.removeprefix(start)
    }


def places(command: str) -> list[str]:
    """All the ways to call a command, as `Aliases` in its help lists them."""
    found = [
        f"{group} {name}"
        for group, (_, members) in GROUPS.items()
        for member, target in members.items()
        if target == command
        for name in (member, *(alias for alias, to in ALIASES.get(group, {}).items() if to == member))
    ]
    return found + ([command] if command in COMMANDS else [])
