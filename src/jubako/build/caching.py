"""The caches of one build together: the one of this machine, those that are imported, those that are exported.

Again:  a layer that an imported cache promised may not be there when it is needed. Then the build begins again without
        what leads to it; what ran meanwhile is in the cache of this machine, so that nothing runs twice.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING

import msgspec

from jubako.build.cache import BuildCache
from jubako.build.graph.filesystem import Filesystem, FsVertex, Output
from jubako.build.graph.supply import LayerUnavailable
from jubako.build.graph.vertex import reachable
from jubako.build.leasedcache import LeasedCache
from jubako.build.progress import BuildProgress
from jubako.build.remotecache.spec import caches_from, caches_to
from jubako.build.solver.solver import Solution
from jubako.build.truth import truth

if TYPE_CHECKING:
    from jubako.build.exporters.export import ShowStep
    from jubako.build.exporters.product import Product
    from jubako.build.graph.bench import Bench
    from jubako.build.options import BuildOptions
    from jubako.build.remotecache.imports import ImportedCaches
    from jubako.image.catalog import Images
    from jubako.store import Lease, Store

FsSolution = Solution[Filesystem, Output]


class Caching:
    """`open` comes first. Raises InvalidArgument for options that make no sense, before anything is built."""

    def __init__(self, options: BuildOptions) -> None:
        self._fresh = options.no_cache
        self._imports = [] if options.no_cache else caches_from(options.cache_from)
        exports = caches_to(options.cache_to)
        self._exports = [export for export in exports if export.type != "inline"]
        asked = truth(options.build_args.get("BUILDKIT_INLINE_CACHE", "false"))
        self._inline = bool(asked) or len(self._exports) < len(exports)
        self.imported: ImportedCaches | None = None
        self._cache: LeasedCache | None = None

    def open(
        self, stack: ExitStack, store: Store, images: Images, lease: Lease, progress: BuildProgress
    ) -> LeasedCache:
        """The cache for the solver; what is opened is closed with `stack`."""
        if self._imports:
            from jubako.build.remotecache.imports import ImportedCaches

            self.imported = ImportedCaches(stack, store, images, lease, self._imports, progress)
        self._cache = LeasedCache(BuildCache(store), lease, self.imported, fresh=self._fresh)
        return self._cache

    @property
    def cache(self) -> LeasedCache:
        assert self._cache is not None
        return self._cache

    def stop(self) -> None:
        """Break off what is being fetched."""
        if self.imported is not None:
            self.imported.stop()

    def solved(self, solve: Callable[[], FsSolution], targets: Sequence[FsVertex], bench: Bench) -> FsSolution:
        """What `solve` comes to, with all layers of the targets here and seen to be right."""
        while True:
            try:
                solution = solve()
                for target in targets:
                    bench.have_blobs(solution.result(target))
                break
            except LayerUnavailable as error:
                if not self.cache.refuse(error.layers):
                    raise
                if self.imported is not None:
                    self.imported.go_on()
        if self.imported is not None:
            self.cache.keep_borrowed()
        return solution

    def noted(self, products: Sequence[Product]) -> list[Product]:
        """The products, with the cache in their configurations if that is wanted."""
        if not self._inline:
            return list(products)
        from jubako.build.remotecache.exports import inline

        outputs = self.cache.known()
        return [
            msgspec.structs.replace(
                product, config=msgspec.structs.replace(product.config, cache=inline(outputs, product.filesystem))
            )
            for product in products
        ]

    def export(
        self,
        solution: FsSolution,
        targets: Sequence[FsVertex],
        bench: Bench,
        progress: BuildProgress,
        step: ShowStep,
    ) -> None:
        """Write what `--cache-to` asks for. Raises what kept it from being written."""
        if not self._exports:
            return
        from jubako.build.remotecache.exports import CacheExporter, Knowledge

        stacks = [solution.result(vertex) for vertex in reachable(targets)]
        knowledge = Knowledge(self.cache.known(), stacks, [solution.result(target) for target in targets])
        CacheExporter(bench, knowledge, progress, step).run(self._exports)
