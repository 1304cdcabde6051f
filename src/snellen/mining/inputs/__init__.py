"""The two embeddings and the images of a study, as the miner needs them."""
