"""jubako describe: one object told to people, in the form of kubectl.

sheet       lines with levels and columns
containers, volumes, templates   parts that several kinds have
events      what happened to it, at the end
pods, workloads, batch, services, nodes, storage, configuration, generic   kinds -> sheets: functions of documents
related     what else a kind's sheet needs from the server
verb        the command

Spec: k8s.io/kubectl/pkg/describe.
"""
