"""From one table to the next, in one transaction of nft: a connection finds the rules before or after it, never none.

`changing` goes from a table that we know to the next, and costs what has changed. `replacing` goes from whatever there
is, of which only names matter; sets of clients that are still wanted stay as they are.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice

from jubako.cluster.proxy.rules import Table

_PORTION = 500
_NAMED = re.compile(r"^\s*(chain|set|map) (\S+) \{$", re.MULTILINE)


def names(listing: str) -> tuple[set[str], set[str]]:
    """The chains, and the sets and maps, in what `nft list table` has printed."""
    found = _NAMED.findall(listing)
    return {name for kind, name in found if kind == "chain"}, {name for kind, name in found if kind != "chain"}


def replacing(name: str, new: Table, chains: Iterable[str], sets: Iterable[str]) -> str:
    """The script that makes `name` the table `new`, where there are `chains` and `sets`."""
    there, known = set(chains), set(sets)
    lines = [f"add table ip {name}", *_hooks(name, new)]
    lines += [f"flush chain ip {name} {chain}" for chain in sorted(there)]
    lines += [f"flush set ip {name} {each}" if new.sets[each].startswith("set") else f"flush map ip {name} {each}"
              for each in sorted(new.elements.keys() & known)]  # fmt: skip
    empty = Table(hooks=new.hooks, chains=dict.fromkeys(there, ()), sets=dict.fromkeys(known, ""), elements={})
    return "\n".join(lines) + "\n" + changing(name, empty, new)


def changing(name: str, old: Table, new: Table) -> str:
    """The script that makes the table `old` the table `new`; empty where they are the same."""
    lines: list[str] = []
    lines += [f"add {_with_table(name, new.sets[each])}" for each in sorted(new.sets.keys() - old.sets.keys())]
    lines += [
        f"add chain ip {name} {each}" for each in sorted(new.chains.keys() - old.chains.keys() - new.hooks.keys())
    ]
    for each, rules in new.chains.items():
        lines += _rules(name, each, old.chains.get(each, ()), rules)
    for each, elements in new.elements.items():
        lines += _elements(name, each, old.elements.get(each, {}), elements)
    gone = sorted(old.chains.keys() - new.chains.keys())
    lines += [f"flush chain ip {name} {each}" for each in gone]
    lines += [f"delete chain ip {name} {each}" for each in gone]
    lines += [f"delete set ip {name} {each}" for each in sorted(old.sets.keys() - new.sets.keys())]
    return "".join(f"{line}\n" for line in lines)


def _hooks(name: str, new: Table) -> Iterator[str]:
    return (f"add chain ip {name} {chain} {{ type {hook}; }}" for chain, hook in new.hooks.items())


def _with_table(name: str, declaration: str) -> str:
    kind, _, rest = declaration.partition(" ")
    return f"{kind} ip {name} {rest}"


def _rules(name: str, chain: str, old: Iterable[str], new: Iterable[str]) -> Iterator[str]:
    if list(old) != list(new):
        if list(old):
            yield f"flush chain ip {name} {chain}"
        yield from (f"add rule ip {name} {chain} {rule}" for rule in new)


def _elements(name: str, where: str, old: Mapping[str, str], new: Mapping[str, str]) -> Iterator[str]:
    gone = [key for key, value in old.items() if new.get(key) != value]
    come = [f"{key} : {value}" if value else key for key, value in new.items() if old.get(key) != value]
    for verb, keys in (("delete", gone), ("add", come)):
        rest = iter(keys)
        while portion := list(islice(rest, _PORTION)):
            yield f"{verb} element ip {name} {where} {{ {', '.join(portion)} }}"
