"""What the collection looks like to both encoders: quantiles, the histogram, near misses."""
