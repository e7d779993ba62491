"""Who may do what: passwords, tokens of our own and of other issuers, client certificates, and the policy over them."""
