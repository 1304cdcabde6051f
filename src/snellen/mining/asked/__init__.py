"""What is asked of which study: options checked, inputs opened, thresholds resolved, a join prepared."""
