"""Speed, measured as ratios in one run; figures in RESULTS.md."""
