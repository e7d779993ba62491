"""One call of helm's library, in a process of its own: python helm_call.py KUBECONFIG NAMESPACE VERB < ARGUMENTS

Arguments are a list and a dictionary, as JSON; so is the answer. What helm says of a failure is on standard error.
"""

from __future__ import annotations

import json
import sys

import helm_python


def main() -> None:
    kubeconfig, namespace, verb = sys.argv[1:]
    arguments, more = json.load(sys.stdin)
    with helm_python.Config(kubeconfig_path=kubeconfig, namespace=namespace) as config:
        try:
            found = getattr(config, verb)(*arguments, **more)
        except helm_python.HelmError as error:
            sys.exit(str(error))
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    main()
