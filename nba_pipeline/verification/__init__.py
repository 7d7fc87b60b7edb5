"""Repeatable proofs on published tables."""
