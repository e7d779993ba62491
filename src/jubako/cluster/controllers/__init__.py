"""Controllers: each a pure function from what is observed to actions, over one work queue.

objects, selectors, pods, conditions    how documents are read
observed, actions, controller           what a controller sees, asks for, is
queue, client, runner, events           what drives them; `runner` alone is asynchronous
all others                              a kind, or a duty, each

Controllers see only the objects of the API, never the store, the node or the engine.
"""
