"""What a registry does towards other machines: webhooks, replication, and fetching from upstreams."""
