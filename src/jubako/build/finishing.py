"""What a solved build becomes: products with their statements, outputs, and what is told of them in files."""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import partial

from jubako.build.attest.options import AttestOptions, attest_options
from jubako.build.bases import Material
from jubako.build.caching import Caching, FsSolution
from jubako.build.context import DockerfileText
from jubako.build.convert.state import StageState
from jubako.build.exporters.annotations import parse_flag
from jubako.build.exporters.export import Exporter
from jubako.build.exporters.metadata import metadata, write_facts, write_file
from jubako.build.exporters.product import Product, product_of
from jubako.build.exporters.wanted import wanted_outputs
from jubako.build.graph.bench import Bench
from jubako.build.moment import Moment
from jubako.build.options import BuildOptions, BuildResult
from jubako.build.progress import BuildProgress, shown_step
from jubako.image import reference
from jubako.image.catalog import Images


class Finishing:
    """The end of one build, whose beginning this is made at. Raises InvalidArgument for options that make no sense."""

    def __init__(self, options: BuildOptions, images: Images) -> None:
        self._options, self._images = options, images
        self._started = Moment().now()
        self.ref = os.urandom(13).hex()[:25]
        self.names = [str(reference.parse(tag)) for tag in options.tags]
        self._outputs = wanted_outputs(options.outputs, load=options.load, push=options.push, names=self.names)
        self._annotations = [each for text in options.annotations for each in parse_flag(text)]
        self._attest = attest_options(options.attests, options.provenance, options.sbom)

    @property
    def needs_layers(self) -> bool:
        """Whether more than the names of the layers is looked at."""
        return self._attest != AttestOptions() or any(output.has_files for output in self._outputs)

    def products(
        self,
        states: Sequence[StageState],
        solution: FsSolution,
        bench: Bench,
        caching: Caching,
        text: DockerfileText,
        materials: Sequence[Material],
    ) -> list[Product]:
        """What came of each platform, with the statements that are wanted about it."""
        options = self._options
        products = caching.noted([product_of(state, solution, bench.moment, options.labels) for state in states])
        if self._attest == AttestOptions():
            return products
        from jubako.build.attest.attestations import attested
        from jubako.build.attest.provenance import Invocation

        invocation = Invocation(
            ref=self.ref,
            dockerfile_name=text.name,
            dockerfile=text.data,
            target=options.target or "",
            build_args=options.build_args,
            labels=options.labels,
            started=self._started,
            finished=Moment().now(),
        )
        return attested(bench, self._attest, invocation, list(zip(states, products, strict=True)), materials)

    def export(self, products: Sequence[Product], bench: Bench, progress: BuildProgress) -> BuildResult:
        """Write every output, and then the files that tell of it."""
        options = self._options
        exporter = Exporter(
            bench,
            self._images,
            products,
            self.names,
            self._annotations,
            push=options.push_image,
            stdout=options.stdout,
            step=partial(shown_step, progress),
        )
        exported = exporter.run(self._outputs)
        if options.iidfile is not None:
            write_file(options.iidfile, exported.image_id.encode())
        facts = metadata(self.ref, exported.target, exported.image_id, exported.names, products)
        if options.metadata_file is not None:
            write_facts(options.metadata_file, facts)
        return BuildResult(exported.image_id, exported.manifest, exported.names, exported.target, self.ref, facts)
