"""The statements that a build was asked for, made for each of its products."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from jubako.build.attest.options import AttestOptions
from jubako.build.attest.provenance import Invocation, provenance
from jubako.build.bases import Material
from jubako.build.convert.state import StageState
from jubako.build.exporters.product import Product
from jubako.build.graph.bench import Bench
from jubako.image import platform as platforms


def attested(
    bench: Bench,
    options: AttestOptions,
    invocation: Invocation,
    made: Sequence[tuple[StageState, Product]],
    materials: Sequence[Material],
) -> list[Product]:
    """The products with their predicates."""
    return [_attested(bench, options, invocation, state, product, materials) for state, product in made]


def _attested(
    bench: Bench,
    options: AttestOptions,
    invocation: Invocation,
    state: StageState,
    product: Product,
    materials: Sequence[Material],
) -> Product:
    predicates = []
    if options.sbom:
        from jubako.build.attest.sbom import sbom

        with bench.view(product.filesystem) as root_fd:
            predicates.append(sbom(root_fd, bench.moment.now()))
    if options.provenance:
        own = [each for each in materials if each.platform in (product.platform, platforms.host())]
        predicates.append(provenance(options.provenance, invocation, state, own))
    return msgspec.structs.replace(product, predicates=predicates)
