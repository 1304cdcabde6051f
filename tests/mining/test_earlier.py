"""Mining against an earlier study: whatever has grown how, what is written is what mining from scratch writes."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from snellen import storage
from snellen.mining.filters import choose
from snellen.mining.join import order
from snellen.mining.survey import stream
from tests.mining.conftest import TINY, Planted, as_pairs, oracle, planted, read_pairs
from tests.mining.earlier_study import copied, same_as_from_scratch, shuffled, write, written
from tests.mining.mine_study import run, sys_verb, use_tiling

IMAGES = 240


@pytest.fixture(scope="module")
def values() -> Planted:
    """Many pairs within 1e-6 of both thresholds, and on them."""
    return planted(7, IMAGES, 24, 0.95, 0.6)


def exactly(values: Planted) -> tuple[float, float]:
    """Thresholds that are cosines of pairs that would pass otherwise: those lie exactly on them, and do not pass."""
    pairs = sorted(oracle(values.blind, values.reference, 0.95, 0.6).values())
    return pairs[3][0], sorted(reference for _, reference in pairs)[-3]


@pytest.fixture(params=["all pairs", "a sample"])
def surveyed(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Below the blind minimum the histogram counts all pairs, or a sample; and not all images are drawn first."""
    if request.param == "a sample":
        survey = sys.modules["snellen.mining.survey.entries"]
        monkeypatch.setattr(survey, "HISTOGRAM_PAIRS", 3000)
        monkeypatch.setattr(survey, "MISSES_SAMPLE", 5000)
        monkeypatch.setattr(stream, "ALL_PAIRS_IMAGES", 20)
        monkeypatch.setattr(order, "SAMPLE_ROWS", 25)


GROWN: dict[str, tuple[list[int], list[int]]] = {
    "appended": ([*range(200)], [*range(IMAGES)]),
    "put before": ([*range(40, IMAGES)], [*range(IMAGES)]),
    "in between": ([*range(0, IMAGES, 3)], [*range(IMAGES)]),
    "another order": (shuffled(range(0, IMAGES, 2), 1), shuffled(range(IMAGES), 2)),
    "reversed, nothing new": ([*range(200)], [*reversed(range(200))]),
    "one new": ([*range(IMAGES - 1)], [*range(100), IMAGES - 1, *range(100, IMAGES - 1)]),
    "from one": ([17], shuffled(range(IMAGES), 3)),
    "duplicates of old and new": ([*range(120), 5, 6], [*range(100, IMAGES), *range(110), 200, 101, 3, 3, *range(110)]),
    "duplicates before their old rows": ([*range(60, 200)], [150, 199, 210, *range(50, 230), 150]),
}


class TestTheSameAsFromScratch:
    @pytest.mark.parametrize("case", GROWN)
    @pytest.mark.usefixtures("surveyed")
    def test_however_it_grew(self, tmp_path: Path, values: Planted, case: str) -> None:
        earlier, study = (write(tmp_path / str(n), values, chosen) for n, chosen in enumerate(GROWN[case]))
        blind_min, reference_max = exactly(values)
        run(earlier, blind_min=blind_min, reference_max=reference_max)
        same_as_from_scratch(study, earlier, blind_min=blind_min, reference_max=reference_max)
        # and both are right
        order = GROWN[case][1]
        rows = [row for row, image in enumerate(order) if order.index(image) == row]
        expected = oracle(values.blind[order], values.reference[order], blind_min, reference_max, rows)
        assert as_pairs(read_pairs(study.pairs)) == expected and len(expected) > 10

    @pytest.mark.usefixtures("surveyed")
    def test_images_that_cannot_be_used(self, tmp_path: Path, values: Planted) -> None:
        """Some are broken in both, some became whole since, some new ones are broken."""
        earlier = write(tmp_path / "earlier", values, [*range(180)], broken=[0, 7, 50, 51, 179])
        study = write(tmp_path / "study", values, shuffled(range(IMAGES), 4), broken=[0, 7, 190, 239])
        run(earlier)
        same_as_from_scratch(study, earlier)

    @pytest.mark.usefixtures("surveyed")
    @pytest.mark.parametrize("thresholds", [(0.9999, -0.9), (0.95, -1.0), (1.0, 1.0)])
    def test_nothing_passes(self, tmp_path: Path, values: Planted, thresholds: tuple[float, float]) -> None:
        earlier = write(tmp_path / "earlier", values, [*range(100, 200)])
        study = write(tmp_path / "study", values, [*range(IMAGES)])
        options = dict(zip(("blind_min", "reference_max"), thresholds, strict=True))
        assert run(earlier, **options).n_pairs == 0
        same_as_from_scratch(study, earlier, **options)

    @pytest.mark.usefixtures("surveyed")
    @pytest.mark.parametrize("lower", [0, 1])
    def test_an_earlier_study_without_a_pair(self, tmp_path: Path, values: Planted, lower: int) -> None:
        earlier = write(tmp_path / "earlier", values, [*range(5)], broken=range(lower, 5))
        study = write(tmp_path / "study", values, [*range(IMAGES)])
        run(earlier)
        same_as_from_scratch(study, earlier)

    @pytest.mark.parametrize("thresholds", [(-1.0, 1.0), (0.5, 0.6), (-1.0, 0.3)])
    def test_nearly_everything_passes(
        self, tmp_path: Path, values: Planted, thresholds: tuple[float, float], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        use_tiling(monkeypatch, TINY)
        monkeypatch.setattr(order, "SAMPLE_ROWS", 30)
        earlier = write(tmp_path / "earlier", values, shuffled(range(150), 5))
        study = write(tmp_path / "study", values, shuffled(range(IMAGES), 6))
        options = dict(zip(("blind_min", "reference_max"), thresholds, strict=True))
        assert run(earlier, **options).n_pairs > 1000
        same_as_from_scratch(study, earlier, **options)

    @pytest.mark.parametrize(
        "options",
        [{"max_per_image": 1}, {"max_pairs": 7}, {"top_k": 1}, {"max_per_image": 3, "top_k": 2, "max_pairs": 20}],
    )
    def test_caps_on_what_is_written(self, tmp_path: Path, values: Planted, options: dict[str, Any]) -> None:
        earlier = write(tmp_path / "earlier", values, shuffled(range(150), 5))
        study = write(tmp_path / "study", values, shuffled(range(IMAGES), 6))
        run(earlier, blind_min=0.8)
        same_as_from_scratch(study, earlier, blind_min=0.8, **options)
        truncated = storage.read_json(study.mining)["truncated"]
        assert all(truncated[name] > 0 for name in options)

    @pytest.mark.parametrize("means", [{"threads": 3}, {"backend": "portable"}, {"backend": "torch", "threads": 2}])
    def test_by_whatever_means(
        self, tmp_path: Path, values: Planted, means: dict[str, Any], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        use_tiling(monkeypatch, TINY)
        monkeypatch.setattr(choose, "WORTH_CHOOSING", 0)
        earlier, study = (write(tmp_path / str(n), values, chosen) for n, chosen in enumerate(GROWN["another order"]))
        scratch = copied(study)
        run(earlier)
        run(scratch)
        run(study, earlier=earlier.root, **means)
        assert written(study) == written(scratch)

    def test_through_a_filter(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(choose, "WORTH_CHOOSING", 0)
        values = planted(8, 600, 64, 0.95, 0.6)
        earlier = write(tmp_path / "earlier", values, shuffled(range(400), 5))
        study = write(tmp_path / "study", values, shuffled(range(600), 6))
        run(earlier)
        same_as_from_scratch(study, earlier)

    def test_an_earlier_study_that_had_an_earlier_one(self, tmp_path: Path, values: Planted) -> None:
        first, second, third = (
            write(tmp_path / str(size), values, shuffled(range(size), size)) for size in (80, 160, IMAGES)
        )
        run(first)
        run(second, earlier=first.root)
        same_as_from_scratch(third, second)

    def test_quantiles_that_come_out_equal(self, tmp_path: Path, values: Planted) -> None:
        """Duplicates change no quantile of distinct images' pairs."""
        earlier = write(tmp_path / "earlier", values, [*range(IMAGES)])
        study = write(tmp_path / "study", values, [*reversed(range(IMAGES)), 5, 5])
        run(earlier, blind_min="q0.99", reference_max="q0.5")
        same_as_from_scratch(study, earlier, blind_min="q0.99", reference_max="q0.5")


class TestStopped:
    """Stopped in the middle and run again, with the same earlier study or another."""

    @pytest.mark.parametrize("at", [0, 5, "write_pairs"])
    @pytest.mark.parametrize("again", ["same", "other", "none"])
    def test_goes_on(self, tmp_path: Path, values: Planted, at: int | str, again: str) -> None:
        first = write(tmp_path / "first", values, shuffled(range(90), 1))
        other = write(tmp_path / "other", values, shuffled(range(60, 150), 2))
        study = write(tmp_path / "study", values, shuffled(range(IMAGES), 3))
        scratch = copied(study)
        with pytest.MonkeyPatch.context() as patch:
            use_tiling(patch, replace(TINY, stripe_pairs=2000))
            patch.setattr(order, "SAMPLE_ROWS", 20)
            for each in (first, other, scratch):
                run(each)
            with pytest.MonkeyPatch.context() as stopping, pytest.raises(KeyboardInterrupt):
                stop(stopping, at)
                run(study, earlier=first.root)
            stripes = sorted(study.mining_parts.glob("pairs-*.json"))
            assert len(stripes) == at if isinstance(at, int) else len(stripes) > 5
            run(study, **{"same": {"earlier": first.root}, "other": {"earlier": other.root}, "none": {}}[again])
        assert written(study) == written(scratch)


def stop(patch: pytest.MonkeyPatch, at: int | str) -> None:
    """Interrupt the next run before its `at`-th stripe is written, or before its pairs are."""

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    if at == "write_pairs":
        patch.setattr(sys_verb(), "write_pairs", interrupt)
        return
    parts = sys.modules["snellen.mining.found.parts"].Parts
    plain = parts.write

    def write_some(self: Any, name: str, *rest: Any) -> None:
        if name == f"pairs-{at:06d}":
            raise KeyboardInterrupt
        plain(self, name, *rest)

    patch.setattr(parts, "write", write_some)
