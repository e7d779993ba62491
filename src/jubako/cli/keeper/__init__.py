"""The keeper: a user's warm Python process, which forks a child for each call that the front hands it.

Processes:    the keeper (one thread, holds no state), two spare children that wait for a connection, and one child for
              each call that runs. A spare accepts a connection, reads the request, and becomes that call; the keeper
              forks the next spare a little later, or at once where none is left.
Invariant:    a call runs here only where it could not tell the difference from a process that its caller started:
              same credentials, namespaces, cgroup, limits it may have. Whatever differs is set, or sends the call back
              to the front, which runs it cold. What is compared is read from the kernel, not taken from the front.
Concurrency:  one keeper for each user and installation, by a lock that the front takes and the keeper holds.
              Ending it at any moment, kill -9 included, costs only speed: a call in progress goes on, and reports its
              status itself.
Protocol:     executor/front/protocol.h, docs/internals/keeper.md.
"""
