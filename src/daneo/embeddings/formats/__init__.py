"""Files of word vectors: daneo's own directory, and what other tools read and write."""
