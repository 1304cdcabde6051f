"""From accepted pairs to a benchmark that others can use, and whether one can be trusted: `build` and `validate`.

`lots` draws what is left to chance, `images` copies the bytes, `datasheet` writes the page, `folder` keeps what is
there from being written over. Reading a benchmark is a library: `snellen.benchmarks`.

MMVP and MMVP-VLM in and out: `mmvp_csv` and `mmvp_folder` read what is there, `mmvp` and `mmvp_vlm` make questions of
it, `errata` knows the published answers that are wrong.
"""

from snellen.benchmark.verb_build import BuildResult, build
from snellen.benchmark.verb_export import ExportResult, export_mmvp, export_mmvp_vlm
from snellen.benchmark.verb_import import Errata, ImportResult, import_mmvp, import_mmvp_vlm
from snellen.benchmark.verb_validate import Validation, validate

__all__ = [
    "BuildResult",
    "Errata",
    "ExportResult",
    "ImportResult",
    "Validation",
    "build",
    "export_mmvp",
    "export_mmvp_vlm",
    "import_mmvp",
    "import_mmvp_vlm",
    "validate",
]
