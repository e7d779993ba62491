"""Netlink, as far as a container engine needs it: links, addresses, routes and nftables set elements.

`wire` encodes and decodes messages, `connection` sends them and reads the answers, `route`, `nftables` and `conntrack`
know the families. The well-known library costs 200 ms to import; this one costs less than five.
"""
