"""The verbs on stored objects, for any client: the HTTP server, and the controllers of this process.

stored      a document <-> a key, bytes and a revision
reading     get and list: pages, selectors, versions
watching    events -> what a watch tells, also where objects come into and go out of a selection
identity    what every new object is given: name, uid, time
parts       what each subresource writes
strategy    what belongs to which verb and kind: status, generation, what an update may not touch
ownership   managedFields: who has set which field
writing     create, update and apply
deleting    delete: grace, finalizers, propagation
"""
