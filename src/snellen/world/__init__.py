"""The miniature world's place; so far only the simple scenes of the demo."""
