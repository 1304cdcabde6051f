"""What an earlier study already knows, so that a grown collection costs only its growth."""
