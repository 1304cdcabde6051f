"""A plain stand-in for the exam, so that the miniature world can be scored; the real one, when it comes, deletes this.

One prompt, greedy, strict grading: what a folder of transformers' image-text-to-text models answers to each question of
a benchmark, alone. The files are those of every run (docs/study-folder.md).
"""

from snellen.world.exam.verb import examine

__all__ = ["examine"]
