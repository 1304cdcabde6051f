"""The verb: files, counts and options."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from snellen import storage
from snellen.errors import UsageError
from snellen.mining import kernels, mine
from snellen.mining.filters import choose
from snellen.mining.join import order
from snellen.mining.join.tiles import Tiling
from snellen.records import pair_id
from snellen.study import Study
from tests import studies
from tests.mining.conftest import TINY, as_pairs, cosines, oracle, read_pairs
from tests.mining.mine_study import data, files, run, use_tiling


class TestWhatIsWritten:
    def test_pairs_equal_the_oracle(self, study: Study) -> None:
        result = run(study)
        rows = read_pairs(study.pairs)
        expected = oracle(*data(), 0.95, 0.6)
        assert as_pairs(rows) == expected and expected
        assert [(row["row_a"], row["row_b"]) for row in rows] == sorted(expected)
        ids = studies.image_ids(240)
        for row in rows:
            assert (row["image_a"], row["image_b"]) == (ids[row["row_a"]], ids[row["row_b"]])
            assert row["pair_id"] == pair_id(row["image_a"], row["image_b"])
        assert result.n_pairs == len(rows)
        assert not result.reused
        assert (result.blind_min, result.reference_max) == (0.95, 0.6)

    def test_schema(self, study: Study) -> None:
        run(study)
        schema = pq.read_schema(study.pairs)
        assert [(field.name, str(field.type), field.nullable) for field in schema] == [
            ("pair_id", "string", False),
            ("image_a", "string", False),
            ("image_b", "string", False),
            ("row_a", "int64", False),
            ("row_b", "int64", False),
            ("blind_cosine", "double", False),
            ("reference_cosine", "double", False),
        ]

    def test_mining_json_has_the_documented_keys(self, study: Study) -> None:
        result = run(study)
        details = storage.read_json(study.mining)
        assert details == result.details
        assert list(details) == [
            "blind",
            "reference",
            "asked",
            "resolved",
            "counts",
            "images_without_label",
            "truncated",
            "histogram",
            "near_misses",
            "suggestions",
            "above_cells",
        ]
        assert set(details["blind"]) == {"name", "slug", "fingerprint"}
        assert set(details["resolved"]["blind_min"]) == {"value", "method", "quantile", "n_pairs", "low", "high"}
        assert list(details["counts"]) == [
            "images",
            "ok",
            "distinct",
            "after_collapse",
            "pairs",
            "above_blind_min",
            "below_reference_max",
            "after_labels",
            "after_max_per_image",
            "after_top_k",
            "written",
        ]
        assert details["near_misses"] is None and details["suggestions"] is None
        assert details["images_without_label"] is None
        assert details["histogram"]["n_pairs"] == details["counts"]["pairs"] == 240 * 239 // 2

    def test_asked_is_all_that_what_is_written_depends_on(self, study: Study) -> None:
        result = run(study, max_pairs="all", top_k=50, threads=2, backend="portable")
        assert result.details["asked"] == {
            "blind": "control/blind",
            "reference": "control/reference",
            "blind_min": 0.95,
            "reference_max": 0.6,
            "max_pairs": "all",
            "max_per_image": None,
            "top_k": 50,
            "collapse_copies": None,
            "labels": "any",
            "seed": 0,
        }
        assert list(result.details["truncated"]) == ["max_per_image", "top_k", "max_pairs", "images_capped"]

    @pytest.mark.parametrize("blind_min", [0.95, 0.6])
    def test_cells_above_the_blind_minimum(self, study: Study, blind_min: float) -> None:
        result = run(study, blind_min=blind_min)
        x, y = (cosines(values)[np.triu_indices(240, 1)] for values in data())
        x, y = x[x > blind_min], y[x > blind_min]
        expected = Counter(zip((np.floor((x + 1.0625) * 256)), np.floor((y + 1.0625) * 256), strict=True))
        cells = result.details["above_cells"]
        found = {divmod(cell, 544): n for cell, n in zip(cells["cells"], cells["counts"], strict=True)}
        assert found == expected
        assert cells["cells"] == sorted(cells["cells"])

    def test_manifest_vouches_for_both_files(self, study: Study) -> None:
        result = run(study)
        manifest = study.read_manifest(study.pairs)
        assert manifest is not None
        assert manifest["verb"] == "mine"
        assert manifest["outputs"] == {
            "pairs.parquet": storage.sha256_of_file(study.pairs),
            "mining.json": storage.sha256_of_file(study.mining),
        }
        shards = {path for path in manifest["inputs"] if path.startswith("embeddings/")}
        assert len(shards) == 6  # three for each encoder
        assert set(manifest["inputs"]) - shards == {"images.parquet"}
        assert manifest["counts"] == result.counts
        assert str(study.root) not in json.dumps(manifest)
        assert not study.mining_parts.exists()

    @pytest.mark.parametrize(
        "options", [{}, {"max_per_image": 3, "max_pairs": 50, "collapse_copies": 0.97}, {"top_k": 2, "blind_min": 0.8}]
    )
    def test_how_it_is_done_does_not_show(
        self, study: Study, options: dict[str, Any], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Sizes of pieces, size of the sample, threads and backends."""
        run(study, **options)
        whole = files(study)
        monkeypatch.setattr(choose, "WORTH_CHOOSING", 0)
        backends = ["portable", "torch", "auto", *(["compiled"] if kernels.available() else [])]
        for number, tiling in enumerate([TINY, Tiling(50, 60, 2000, 3), Tiling()]):
            use_tiling(monkeypatch, tiling)
            monkeypatch.setattr(order, "SAMPLE_ROWS", (20, 239, 1)[number])
            for threads, backend in enumerate(backends, 1):
                for path in (study.pairs, study.mining, study.manifest_path(study.pairs)):
                    path.unlink()
                assert not run(study, **options, threads=threads, backend=backend).reused
                assert files(study) == whole

    def test_many_row_groups(self, tmp_path: Path) -> None:
        blind = np.repeat(studies.unit_rows(np.ones((1, 4))), 600, axis=0)
        reference = studies.unit_rows(np.random.default_rng(0).standard_normal((600, 64)))
        study = studies.write_study(tmp_path / "study", blind, reference)
        result = run(study)
        metadata = pq.read_metadata(study.pairs)
        groups = [metadata.row_group(index).num_rows for index in range(metadata.num_row_groups)]
        assert len(groups) > 2 and set(groups[:-1]) == {65_536}
        assert sum(groups) == result.n_pairs == len(oracle(blind, reference, 0.95, 0.6))
        table = pq.read_table(study.pairs)
        assert table.sort_by([("row_a", "ascending"), ("row_b", "ascending")]) == table


class TestWhichImages:
    def test_duplicates_and_damaged_images_take_no_part(self, tmp_path: Path) -> None:
        blind, reference = data()
        duplicates = {5: 2, 77: 2, 200: 150}
        broken = {0: "corrupt", 50: "truncated", 239: "not_an_image"}
        for row, first in duplicates.items():
            blind[row], reference[row] = blind[first], reference[first]
        for row in broken:
            blind[row] = reference[row] = 0
        table = studies.images(240, duplicates=duplicates, statuses=broken)  # type: ignore[arg-type]
        study = studies.write_study(tmp_path / "study", blind, reference, table)
        result = run(study)
        rows = [row for row in range(240) if row not in duplicates and row not in broken]
        assert as_pairs(read_pairs(study.pairs)) == oracle(blind, reference, 0.95, 0.6, rows)
        counts = result.counts
        assert (counts["images"], counts["ok"], counts["distinct"], counts["after_collapse"]) == (240, 237, 234, 234)
        assert counts["pairs"] == 234 * 233 // 2

    def test_a_folder_of_parts(self, tmp_path: Path) -> None:
        study = studies.write_study(tmp_path / "study", *data(), parts=3)
        run(study)
        assert as_pairs(read_pairs(study.pairs)) == oracle(*data(), 0.95, 0.6)
        manifest = study.read_manifest(study.pairs)
        assert manifest is not None and "images.parquet/part-00001.parquet" in manifest["inputs"]

    def test_collapsed_copies(self, tmp_path: Path) -> None:
        blind, reference = data()
        blind[10:20] = blind[10] + np.float16(0)
        reference[10:20] = reference[10]
        study = studies.write_study(tmp_path / "study", blind, reference)
        result = run(study, collapse_copies=0.98)
        assert result.counts["after_collapse"] <= 231
        expected = oracle(blind, reference, 0.95, 0.6, [row for row in range(240) if not 10 < row < 20])
        assert set(as_pairs(read_pairs(study.pairs))) <= set(expected)

    @pytest.mark.parametrize("rows", [0, 1])
    def test_too_few_images_to_make_a_pair(self, tmp_path: Path, rows: int) -> None:
        blind, reference = data(4)
        statuses = {row: "corrupt" for row in range(rows, 4)}
        blind[rows:] = reference[rows:] = 0
        table = studies.images(4, statuses=statuses)  # type: ignore[arg-type]
        result = run(studies.write_study(tmp_path / "study", blind, reference, table))
        assert result.n_pairs == result.counts["pairs"] == 0
        assert result.details["near_misses"]["pairs"] == result.details["suggestions"] == []


class TestOptions:
    def test_caps(self, study: Study) -> None:
        everything = run(study, blind_min=0.8).n_pairs
        result = run(study, blind_min=0.8, max_per_image=1, max_pairs=5)
        counts, truncated = result.counts, result.details["truncated"]
        assert counts["after_labels"] == everything
        assert counts["written"] == 5
        assert counts["after_max_per_image"] == everything - truncated["max_per_image"]
        assert truncated["max_pairs"] == counts["after_max_per_image"] - 5 > 0
        assert counts["after_top_k"] == counts["after_max_per_image"]
        assert truncated["images_capped"] > 0
        pairs = oracle(*data(), 0.8, 0.6)
        widest = max(pairs, key=lambda pair: pairs[pair][0] - pairs[pair][1])
        assert widest in as_pairs(read_pairs(study.pairs))

    @pytest.mark.parametrize("sample", [2048, 30])
    def test_top_k(self, study: Study, sample: int, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(order, "SAMPLE_ROWS", sample)
        use_tiling(monkeypatch, TINY)
        pairs = oracle(*data(), 0.8, 0.6)
        ids = studies.image_ids(240)
        ranked = sorted(pairs, key=lambda pair: (pairs[pair][1] - pairs[pair][0], pair_id(ids[pair[0]], ids[pair[1]])))
        places: Counter[int] = Counter()
        expected = {}
        for pair in ranked:
            if min(places[image] for image in pair) < 2:
                expected[pair] = pairs[pair]
            places.update(pair)
        result = run(study, blind_min=0.8, top_k=2)
        assert as_pairs(read_pairs(study.pairs)) == expected and len(expected) < len(pairs)
        assert result.counts["after_labels"] == result.counts["after_max_per_image"] == len(pairs)
        assert result.counts["after_top_k"] == result.counts["written"] == len(expected)
        assert result.details["truncated"]["top_k"] == len(pairs) - len(expected)

    @pytest.mark.parametrize("rule", ["within", "across"])
    def test_labels(self, tmp_path: Path, rule: str) -> None:
        blind, reference = data()
        labels = [None if row % 10 == 0 else f"class {row % 3}" for row in range(240)]
        study = studies.write_study(tmp_path / "study", blind, reference, studies.images(240, labels=labels))
        result = run(study, labels=rule)
        expected = {
            (a, b)
            for a, b in oracle(blind, reference, 0.95, 0.6)
            if labels[a] and labels[b] and (labels[a] == labels[b]) == (rule == "within")
        }
        assert set(as_pairs(read_pairs(study.pairs))) == expected and expected
        assert result.details["images_without_label"] == 24
        assert result.counts["below_reference_max"] == len(oracle(blind, reference, 0.95, 0.6))
        assert result.counts["after_labels"] == len(expected)

    def test_labels_that_nobody_has(self, study: Study) -> None:
        with pytest.raises(UsageError, match=r"--labels within .*no image of this study has one"):
            run(study, labels="within")

    def test_quantiles(self, study: Study) -> None:
        blind, reference = data()
        upper = np.triu_indices(240, 1)
        blind_min = float(np.quantile(cosines(blind)[upper], 0.99, method="inverted_cdf"))
        reference_max = float(np.quantile(cosines(reference)[upper], 0.5, method="inverted_cdf"))
        result = run(study, blind_min="q0.99", reference_max="q0.5")
        assert (result.blind_min, result.reference_max) == (blind_min, reference_max)
        assert as_pairs(read_pairs(study.pairs)) == oracle(blind, reference, blind_min, reference_max)
        assert result.counts["above_blind_min"] == int(0.01 * len(upper[0]))
        assert result.details["asked"]["blind_min"] == "q0.99"

    def test_by_slug(self, study: Study) -> None:
        slugs = sorted(study.finished_embeddings())
        result = mine(study.root, blind=slugs[0], reference=slugs[1])
        assert result.details["blind"]["name"] == "control/blind"

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            ({"reference": "control/blind"}, "compared with another one"),
            ({"blind": "control/blnd"}, r"--blind control/blnd .*did you mean control/blind\?.*control/reference"),
            ({"blind": "CONTROL/BLIND"}, "choose one of control/blind, control/reference"),
            ({"seed": -1}, "--seed -1"),
        ],
    )
    def test_wrong_options(self, study: Study, options: dict[str, Any], message: str) -> None:
        before = files(study)
        with pytest.raises(UsageError, match=message):
            run(study, **options)
        assert files(study) == before

    def test_two_models_of_one_name(self, study: Study) -> None:
        hashes = {"images.parquet": storage.sha256_of_file(study.images)}
        studies.write_embedding(study, "control/blind", data()[0], hashes, fingerprint="f" * 64)
        with pytest.raises(
            UsageError, match=r"names 2 embeddings .* by its slug, control-blind-.* or control-blind-ffffffff"
        ):
            run(study)

    def test_nothing_embedded(self, tmp_path: Path) -> None:
        study = Study(tmp_path / "study")
        studies.write_images(study, studies.images(3))
        with pytest.raises(
            UsageError, match=r"no finished embedding; run `snellen embed STUDY --encoder control/blind`"
        ):
            run(study)

    def test_no_study(self, tmp_path: Path) -> None:
        with pytest.raises(UsageError, match="no study"):
            mine(tmp_path / "nowhere")
        assert not (tmp_path / "nowhere").exists()
