"""Proofs on published tables that anybody can repeat."""
