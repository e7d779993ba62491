"""Why something does not work: documents -> one causal story in plain words.

story       findings, and the tree that they make
facts       the documents that are looked at
scheduling  why a pod has no node
images, ends, probes   what is wrong with one container
containers  one container: image, start, end, probes
pods        a pod, from admission to ready
workloads   what makes pods: rollouts and what they wait for
services    a service, and the pods that it leads to
claims      a claim that is not bound
others      a disruption budget, a node

Model:      pure functions of Facts; a story goes on from each stage only where that stage is good. What the documents
            do not tell is not said.
"""
