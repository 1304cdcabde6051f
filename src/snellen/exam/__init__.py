"""The exam: asking multimodal LLMs, grading what they said, scoring, comparing.

`ask` appends raw answers to `runs/<run_id>/responses.jsonl`; `grade` turns them into verdicts and scores, and can be
run again.
"""
