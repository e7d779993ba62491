"""The endpoints of the distribution API, one file to a resource."""
