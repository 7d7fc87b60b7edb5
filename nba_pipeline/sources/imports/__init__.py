"""Bring history that others have collected into landing files, without a call per game."""
