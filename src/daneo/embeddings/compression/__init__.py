"""Rows in fewer bytes: product quantisation, half precision, and models with fewer words and n-grams."""
