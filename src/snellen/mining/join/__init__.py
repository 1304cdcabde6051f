"""The exact two-sided join itself: tiles, threads, exact cosines, both conditions."""
