"""Pods: sandboxes of namespaces and limits that several containers share, without a process of their own.

record      what is kept of a pod                   sandbox     making and taking down its part of the kernel
create      from options to a record                starting    making it ready
members     the containers in it                    ending      noticing its end, stopping it, removing it
listing     how `pod ps` and `pod inspect` show it  init        process 1, where the pid namespace is shared
pods        `engine.pods`, every verb
"""
