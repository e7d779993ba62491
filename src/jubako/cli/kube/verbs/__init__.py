"""What is done in a cluster: one file for each verb, each a function of a Client."""
