"""What the objects of the Kubernetes API are, from one table of facts.

facts/       the table: text files, one to a package of Kubernetes' API (docs/internals/cluster-types.md has their form)
schema       the table, read: packages on first use, messages and fields
resources    what is served, and any kind by its name (served: plural, short names, scope, verbs, subresources)
decoding     JSON or YAML or protobuf bodies -> documents, as Kubernetes' own decoders normalise them
protobuf/    the wire format and the envelope
defaulting/  what Kubernetes fills in
selection    label selectors
schedule     cron schedules
conversion   one object in two versions of the API
validation/  what it refuses, in its words
warning/     what it takes, and warns of
columns/     what `kubectl get` prints
discovery/   documents that say what is served
openapi/     documents that say of what form

Model:       a document is a plain dict (`document.Object`). Nothing here reads a store, or a clock that it is not
             given.
Invariant:   a document that came out of `decoding` has only fields of the table, of the right types; the other modules
             build on it, and those that take stored or generated documents tolerate what is absent.
Concurrency: functions of their arguments; what is read lazily is cached and never changes.
"""
