#: options --target nowhere
#: refused target stage .?nowhere.? could not be found
FROM busybox AS somewhere
