"""A read-only web page to look into a registry with."""
