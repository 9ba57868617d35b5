"""Measurements of the product: each one a command, its results a JSON file and a picture in `results/`."""
