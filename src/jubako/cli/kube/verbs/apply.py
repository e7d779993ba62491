"""jubako apply: objects from files, each made or brought to what its file says.

Spec: `kubectl apply` (k8s.io/kubectl/pkg/cmd/apply).
"""

from __future__ import annotations

from jubako.cli.kube.acting import dry_run, dry_run_note
from jubako.cli.kube.client import Client
from jubako.cli.kube.output import documents
from jubako.cli.kube.output.choice import form
from jubako.cluster.client import manifests
from jubako.cluster.client.applying import LAST_APPLIED, Applied, Applier, How, about
from jubako.cluster.client.discovery import Type
from jubako.cluster.client.failure import Said, raise_all
from jubako.cluster.client.manifests import Manifest
from jubako.cluster.selectors import labels
from jubako.cluster.types.document import Object, at, mapping, strings, text
from jubako.errors import InvalidArgument, JubakoError

_VALIDATION = {"true": "Strict", "strict": "Strict", "warn": "Warn", "false": "Ignore", "ignore": "Ignore"}


def apply(client: Client) -> None:
    """Apply what the files hold, all of it: what fails is told at the end."""
    arguments = client.arguments
    _refuse_what_is_not_there(client)
    files = arguments.texts("filename")
    if not files:
        raise InvalidArgument("must specify one of -f and -k")
    if arguments.operands:
        raise Said(
            f"error: Unexpected args: [{' '.join(arguments.operands)}]\nSee 'kubectl apply -h' for help and examples"
        )
    applier = Applier(client.connection, _how(client))
    stdin = client.read_stdin() if "-" in files else None
    done: list[Object] = []
    failures: list[JubakoError] = []
    for manifest in _selected(client, manifests.read(files, stdin, recursive=arguments.flag("recursive"))):
        try:
            done.append(_one(client, applier, manifest))
        except JubakoError as error:
            failures.append(error)
    if made := form(arguments.text("output")):
        client.out(made(done[0] if len(done) == 1 else documents.listed(done)) if done else "")
    raise_all(failures)


def _refuse_what_is_not_there(client: Client) -> None:
    if client.arguments.given("kustomize"):
        raise InvalidArgument("-k is not supported: there is no kustomize in Jubako; build the manifests first")
    if client.arguments.flag("prune"):
        raise InvalidArgument("--prune is not supported: delete what is no longer wanted by name or by label")


def _how(client: Client) -> How:
    arguments = client.arguments
    validate = arguments.text("validate")
    if validate not in _VALIDATION:
        raise InvalidArgument(
            f"invalid - validate option {validate!r}; must be one of: strict (or true), warn, ignore (or false)"
        )
    server_side, tried = arguments.flag("server-side"), dry_run(client)
    if arguments.flag("force-conflicts") and not server_side:
        raise InvalidArgument("--force-conflicts only works with --server-side")
    if server_side and tried == "client":
        raise InvalidArgument(
            "--dry-run=client doesn't work with --server-side (did you mean --dry-run=server instead?)"
        )
    return How(
        dry_run=tried,
        validation=_VALIDATION[validate],
        server_side=server_side,
        force_conflicts=arguments.flag("force-conflicts"),
        manager=arguments.text("field-manager"),
    )


def _selected(client: Client, found: list[Manifest]) -> list[Manifest]:
    selector = client.arguments.text("selector")
    if not selector:
        return found
    matches = labels.parse_labels(selector)
    chosen = [each for each in found if matches.matches(strings(at(each.document, "metadata", "labels")))]
    if not chosen:
        raise InvalidArgument("no objects passed to apply")
    return chosen


def _one(client: Client, applier: Applier, manifest: Manifest) -> Object:
    of = client.type_of(manifest)
    document = placed(client, of, manifest.document)
    if not text(at(document, "metadata", "name")):
        empty = f"error when retrieving current configuration of:\n{about(of, document)}\nfrom server for:"
        raise InvalidArgument(f'{empty} "{manifest.source}": resource name may not be empty')
    applied = applier.apply(of, document, manifest.source)
    if applied.missed:
        client.error(_missing(of, documents.name_of(document)))
    _tell(client, of, applied)
    return applied.document


def placed(client: Client, of: Type, document: Object) -> Object:
    """Return an object with the namespace that it goes to. Raises InvalidArgument where another was asked for."""
    metadata = dict(mapping(document.get("metadata")))
    own, explicit = text(metadata.get("namespace")), client.explicit_namespace
    if not of.namespaced:
        metadata.pop("namespace", None)
    elif own and explicit and own != explicit:
        raise InvalidArgument(
            f'the namespace from the provided object "{own}" does not match the namespace "{explicit}". You must pass '
            f"'--namespace={own}' to perform this operation."
        )
    else:
        metadata["namespace"] = own or client.namespace
    return {**document, "metadata": metadata}


def _tell(client: Client, of: Type, applied: Applied) -> None:
    output, name = client.arguments.text("output"), documents.name_of(applied.document)
    if output == "name":
        client.line(f"{of.full_name}/{name}")
    elif not output:
        client.line(f"{of.full_name}/{name} {applied.verb}{dry_run_note(dry_run(client))}")


def _missing(of: Type, name: str) -> str:
    return (
        f"Warning: resource {of.plural}/{name} is missing the {LAST_APPLIED} annotation which is required by kubectl "
        "apply. kubectl apply should only be used on resources created declaratively by either kubectl create "
        "--save-config or kubectl apply. The missing annotation will be patched automatically."
    )
