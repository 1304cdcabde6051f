"""The import rules of DESIGN section 1: libraries below, stages above, stages never import stages."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import snellen

ROOT = Path(snellen.__file__).parent
STAGES = {"embedding", "mining", "annotation", "benchmark", "patterns", "exam", "diagnosis", "mof", "world", "report"}
ABOVE = {"recipes", "cli"}
HEAVY: tuple[str, ...] = (
    "torch",
    "transformers",
    "open_clip",
    "timm",
    "onnxruntime",
    "matplotlib",
    "scipy",
    "pyarrow",
    "numpy",
)
HEAVY += ("openai", "statsmodels", "pandas")


def part_of(module: str) -> str:
    """The second word of `snellen.mining.join.two_sided`: mining."""
    return module.split(".")[1] if module.count(".") else ""


def imported_parts(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} imports relatively"
            names |= (
                {f"{node.module}.{alias.name}" for alias in node.names}
                if node.module == "snellen"
                else {str(node.module)}
            )
    return {part_of(name) for name in names if name.split(".")[0] == "snellen"} - {""}


FILES = sorted(ROOT.rglob("*.py"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_arrows_point_downwards(path: Path) -> None:
    inside = path.relative_to(ROOT).parts[0].removesuffix(".py")
    imports = imported_parts(path) - {inside}
    if inside in ("cli", "__init__", "__main__"):
        return
    if inside == "recipes":
        assert "cli" not in imports
    elif inside in STAGES:
        assert not imports & (STAGES | ABOVE), f"the stage {inside} imports {imports & (STAGES | ABOVE)}"
    else:
        assert not imports & (STAGES | ABOVE), f"the library {inside} imports {imports & (STAGES | ABOVE)}"


MINING = ("kernels", "join", "filters", "inputs", "survey", "estimates", "found", "earlier", "asked")
"""The folders of the miner, each of which imports only those before it (as its docstring says)."""


@pytest.mark.parametrize("folder", MINING)
def test_the_miner_is_built_upwards(folder: str) -> None:
    above = MINING[MINING.index(folder) + 1 :]
    top = {path.stem for path in (ROOT / "mining").glob("*.py")} - {"__init__"}
    for path in (ROOT / "mining" / folder).glob("*.py"):
        source = path.read_text("utf-8")
        for part in (*above, *top):
            assert f"snellen.mining.{part} import" not in source and f"snellen.mining.{part}." not in source, path
            assert f"from snellen.mining import {part}" not in source, path


def test_libraries_have_no_cycles() -> None:
    edges: dict[str, set[str]] = {}
    for path in FILES:
        inside = path.relative_to(ROOT).parts[0].removesuffix(".py")
        edges.setdefault(inside, set()).update(imported_parts(path) - {inside})
    done: set[str] = set()

    def visit(part: str, way: tuple[str, ...]) -> None:
        assert part not in way, " -> ".join((*way, part))
        if part not in done:
            for below in edges.get(part, ()):
                visit(below, (*way, part))
            done.add(part)

    for part in edges:
        visit(part, ())


def test_help_imports_nothing_heavy() -> None:
    code = "import sys, snellen, snellen.cli.main; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not set(HEAVY) & set(loaded)


def test_every_public_name_is_there() -> None:
    assert sorted(snellen.__all__) == snellen.__all__
    for name in snellen.__all__:
        assert getattr(snellen, name) is not None
