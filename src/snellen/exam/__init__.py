"""The exam: asking multimodal LLMs, grading what they said, scoring, comparing.

`ask` appends raw answers to `runs/<run_id>/responses.jsonl`; `grade` turns them into verdicts and scores, and can be
run again.
"""

from snellen.exam.asking import AskResult
from snellen.exam.grading import grade_runs
from snellen.exam.verb_ask import ask
from snellen.exam.verb_grade import GradeResult, grade

__all__ = ["AskResult", "GradeResult", "ask", "grade", "grade_runs"]
