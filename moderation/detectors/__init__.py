"""Detectors of the pre-delivery screening: each looks for one family of signals in normalised text."""
