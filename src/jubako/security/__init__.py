"""Signing, scanning, policy and runtime watch: not built yet."""
