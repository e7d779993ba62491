"""Measurements against real peers: `./dev bench [ROW …]`. Ratios, never absolute promises, never a test."""
