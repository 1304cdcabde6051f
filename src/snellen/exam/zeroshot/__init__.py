"""Zero-shot classification: how often does an image-text encoder give a picture the name of its class?

For each encoder, class names in templates become a row of weights a class, every image gets the class whose row has the
largest cosine, and `STUDY/zeroshot/<encoder>--<dataset>--<settings>/` keeps what was predicted and the scores.
"""

from snellen.exam.zeroshot.contrasts import Contrast
from snellen.exam.zeroshot.files import PREDICTIONS, ZEROSHOT, Prediction, ZeroShot, read_predictions, read_zeroshots
from snellen.exam.zeroshot.metrics import ZeroShotScore
from snellen.exam.zeroshot.verb import ZeroShotResult, zeroshot

__all__ = [
    "PREDICTIONS",
    "ZEROSHOT",
    "Contrast",
    "Prediction",
    "ZeroShot",
    "ZeroShotResult",
    "ZeroShotScore",
    "read_predictions",
    "read_zeroshots",
    "zeroshot",
]
