"""The parts of words: character and jamo n-grams, and the vectors that they make."""
