"""Texts as bags of rows: tokens, their n-grams, and the rows of a matrix that these stand for."""
