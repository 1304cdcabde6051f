"""Who separates whose blind pairs, against brute force over all pairs."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path

import numpy as np
import pytest

from snellen.diagnosis.shopping import separation as module
from snellen.diagnosis.shopping.image_pairs import image_pairs
from snellen.diagnosis.shopping.mined import mined_rows, read_mined
from snellen.diagnosis.shopping.separation import separation
from snellen.errors import StudyError
from snellen.mining import mine
from snellen.vectors import Vectors
from tests.studies import images, unit_rows, write_embedding, write_study

ROWS = np.arange(30)


def made(seed: int) -> Vectors:
    rng = np.random.default_rng(seed)
    topics = rng.standard_normal((5, 6))
    return Vectors.from_array(unit_rows(topics[rng.integers(0, 5, 30)] + 0.6 * rng.standard_normal((30, 6))))


def cosine(vectors: Vectors, a: int, b: int) -> float:
    values = vectors.block(0, vectors.rows).astype(np.float64)
    return float(sum(x * y for x, y in zip(values[a].tolist(), values[b].tolist(), strict=True)))


def test_the_matrix_is_what_sorting_all_pairs_gives() -> None:
    encoders = {"clip": made(1), "dino": made(2), "third": made(3)}
    found = separation(
        encoders, image_pairs(ROWS, 0), blind="clip", blind_min=0.75, reference="dino", reference_max=0.3, seed=0
    )
    pairs = list(combinations(range(30), 2))
    k_blind = sum(cosine(encoders["clip"], *pair) > 0.75 for pair in pairs)
    k_separated = sum(cosine(encoders["dino"], *pair) < 0.3 for pair in pairs)
    assert 20 < k_blind < 200 and (found.rule.n_blind, found.rule.n_separated) == (k_blind, k_separated)
    assert found.rule.n_pairs == 435 and not found.rule.sampled and found.rule.chance == k_separated / 435
    for a in encoders:
        blind = sorted(pairs, key=lambda pair: -cosine(encoders[a], *pair))[:k_blind]
        assert {tuple(pair) for pair in found.blind[a].pairs.tolist()} == set(blind)
        assert set(found.shares[a]) == set(encoders) - {a}
        for b, share in found.shares[a].items():
            unlike = set(sorted(pairs, key=lambda pair: cosine(encoders[b], *pair))[:k_separated])
            assert share.value == pytest.approx(len(unlike & set(blind)) / k_blind)
            assert share.n == k_blind and share.low <= (share.value or 0) <= share.high


def test_an_encoder_that_is_another_one_stretched_separates_as_it_does() -> None:
    """Cosines squeezed near 1 keep their ranks: what counts is the rank, not the cosine."""
    plain = made(1).block(0, 30).astype(np.float64)
    squeezed = np.concatenate([plain, np.full((30, 1), 3.0)], axis=1)
    encoders = {"clip": made(2), "plain": made(1), "squeezed": Vectors.from_array(unit_rows(squeezed))}
    found = separation(
        encoders, image_pairs(ROWS, 0), blind="clip", blind_min=0.8, reference="plain", reference_max=0.4, seed=0
    )
    assert found.below["squeezed"] > 0.85 > found.below["plain"]
    one, other = found.shares["clip"]["plain"], found.shares["clip"]["squeezed"]
    assert abs((one.value or 0) - (other.value or 0)) <= 2 / one.n  # float16 rounds ranks that are close


def test_nobody_is_blind_where_nothing_is_above_the_threshold() -> None:
    found = separation(
        {"clip": made(1), "dino": made(2)},
        image_pairs(ROWS, 0),
        blind="clip",
        blind_min=1.01,
        reference="dino",
        reference_max=-1.01,
    )
    assert found.rule.n_blind == found.rule.n_separated == 0
    assert found.shares["clip"]["dino"].value is None and found.shares["clip"]["dino"].n == 0


def test_of_many_blind_pairs_some_are_drawn_and_it_is_said_of_how_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_BLIND", 40)
    found = separation(
        {"clip": made(1), "dino": made(2)},
        image_pairs(ROWS, 0),
        blind="clip",
        blind_min=0.0,
        reference="dino",
        reference_max=0.3,
    )
    few = found.blind["clip"]
    assert len(few.pairs) == 40 < few.found == found.rule.n_blind
    assert found.shares["clip"]["dino"].n == 40


def test_what_mine_left_is_read_and_checked(tmp_path: Path) -> None:
    blind, reference = (made(seed).block(0, 30) for seed in (1, 2))
    study = write_study(tmp_path, blind, reference, images(30))
    assert read_mined(study) is None
    mine(study.root, blind="control/blind", reference="control/reference", blind_min=0.75, reference_max="q0.5")
    found = read_mined(study)
    assert found is not None and found.blind_min == 0.75 and found.blind.startswith("control-blind-")
    import pyarrow.parquet as pq

    table = pq.read_table(study.pairs).select(["row_a", "row_b"]).to_pylist()
    assert found.written == len(table) > 3
    rows = [[pair["row_a"], pair["row_b"]] for pair in table]
    assert mined_rows(study.pairs, np.array([0, 2])).tolist() == [rows[0], rows[2]]
    assert mined_rows(study.pairs, np.arange(len(rows))).tolist() == rows
    study.mining.write_text(study.mining.read_text() + " ")
    with pytest.raises(StudyError, match="was changed after it was written"):
        read_mined(study)


def test_more_embeddings_than_those_mined_join_the_matrix(tmp_path: Path) -> None:
    from snellen.diagnosis.shopping import encoders

    blind, reference, third = (made(seed).block(0, 30) for seed in (1, 2, 3))
    study = write_study(tmp_path, blind, reference, images(30))
    write_embedding(study, "control/third", third, {})
    mine(study.root, blind="control/blind", reference="control/reference", blind_min=0.75, reference_max=0.3)
    found = encoders(study.root).found
    pairs = list(combinations(range(30), 2))
    sides = [Vectors.from_array(each) for each in (blind, reference, third)]
    mined = [p for p in pairs if cosine(sides[0], *p) > 0.75 and cosine(sides[1], *p) < 0.3]
    k = sum(cosine(sides[1], *pair) < 0.3 for pair in pairs)
    unlike = set(sorted(pairs, key=lambda pair: cosine(sides[2], *pair))[:k])
    assert found.mined is not None and set(found.mined.shares) == {"control/reference", "control/third"}
    assert found.mined.looked_at == found.mined.found == len(mined)
    assert found.mined.shares["control/third"].value == pytest.approx(len(unlike & set(mined)) / len(mined))
    assert found.mined.shares["control/reference"].value == 1.0
    assert found.partners is not None and found.partners.base == "control/blind"
    assert found.partners.by_rescued is None and found.partners.by_separated is not None
