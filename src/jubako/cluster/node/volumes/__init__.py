"""What a pod mounts.

pod          its volumes: each made, or found, and where it lies
projection   the files of a ConfigMap, Secret, downward API or several of them
atomic       files written so that a reader sees one state or the next
tokens       when a service account's token is to be renewed
ownership    fsGroup
claims       where the volume of a claim lies, and the end of its data
mounting     a container's volumeMounts -> the engine's mounts
references   which objects a pod's volumes and variables are made of
"""
